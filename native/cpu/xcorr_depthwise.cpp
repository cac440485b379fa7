// Depthwise cross-correlation of one feature map with another, image by image and channel by channel:
// y[b, i, j, c] = Σ_uv x[b, i + u − p, j + v − p, c] · z[b, u, v, c], z turned by 180 degrees where asked.
//
// All maps are NHWC. A template of up to 5x5 passes over x as a filter does (depthwise_rows.hpp). Else a
// task is one image and one vector of channels: it copies that slice of x, padded, and of z into dense
// scratch that stays in the cache, then holds a strip of outputs in registers while it walks over the
// taps: the gradient by x (5x5 taps, padded) and the gradient by z (25x25 taps, 5x5 outputs).

#include <omp.h>

#include <algorithm>

#include "depthwise_rows.hpp"
#include "native.hpp"
#include "program.hpp"
#include "scratch.hpp"
#include "team.hpp"
#include "vector.hpp"

namespace {

using siamban::kLanes;
using siamban::Vector;

struct Args {
  const float *x, *z;
  float *y;
  int64_t batch, height, width, channels, kernel_height, kernel_width, out_height, out_width;
  int64_t padding, flip;
};

// `count` outputs of a row from `at` on; a constant so that the sums are registers.
template <int count>
void correlate_strip(const Args &a, const Vector *x, const Vector *z, int64_t row, int64_t at,
                     Vector *sums) {
  const int64_t padded = a.width + 2 * a.padding;
  Vector sum[count] = {};
  for (int64_t u = 0; u < a.kernel_height; u++) {
    const Vector *from = x + (row + u) * padded + at;
    for (int64_t v = 0; v < a.kernel_width; v++) {
      const Vector tap = z[u * a.kernel_width + v];
      for (int k = 0; k < count; k++) sum[k] += from[v + k] * tap;
    }
  }
  for (int k = 0; k < count; k++) sums[k] = sum[k];
}

int64_t correlate(const Args &a, const Vector *x, const Vector *z, int64_t row, int64_t at,
                  Vector *sums) {
  const int64_t left = a.out_width - at;
  if (left >= 9) return correlate_strip<9>(a, x, z, row, at, sums), 9;
  if (left >= 5) return correlate_strip<5>(a, x, z, row, at, sums), 5;
  if (left >= 3) return correlate_strip<3>(a, x, z, row, at, sums), 3;
  return correlate_strip<1>(a, x, z, row, at, sums), 1;
}

// Copies one channel vector of a map into dense memory, framed by `padding` zeros.
void gather(const float *map, int64_t height, int64_t width, int64_t channels, int64_t lanes,
            int64_t padding, Vector *to) {
  const int64_t padded = width + 2 * padding;
  std::fill_n(to, (height + 2 * padding) * padded, Vector{});
  for (int64_t i = 0; i < height; i++) {
    Vector *row = to + (i + padding) * padded + padding;
    for (int64_t j = 0; j < width; j++) {
      const float *from = map + (i * width + j) * channels;
      row[j] = lanes == kLanes ? siamban::load(from) : siamban::load_part(from, lanes);
    }
  }
}

void correlate_slice(const Args &a, int64_t b, int64_t channel, Vector *x, Vector *z) {
  const int64_t lanes = std::min(kLanes, a.channels - channel);
  const int64_t taps = a.kernel_height * a.kernel_width;
  gather(a.x + b * a.height * a.width * a.channels + channel, a.height, a.width, a.channels, lanes,
         a.padding, x);
  gather(a.z + b * taps * a.channels + channel, a.kernel_height, a.kernel_width, a.channels, lanes,
         0, z);
  if (a.flip) std::reverse(z, z + taps);
  float *y = a.y + b * a.out_height * a.out_width * a.channels + channel;
  Vector sums[9];
  for (int64_t i = 0; i < a.out_height; i++) {
    for (int64_t j = 0; j < a.out_width;) {
      const int64_t count = correlate(a, x, z, i, j, sums);
      for (int64_t k = 0; k < count; k++, j++) {
        float *to = y + (i * a.out_width + j) * a.channels;
        if (lanes == kLanes) {
          siamban::store(to, sums[k]);
        } else {
          siamban::store_part(to, sums[k], lanes);
        }
      }
    }
  }
}

// By the kernel of depthwise convolution, where it has one: a template lies in memory as a filter does.
void correlate_bands(const Args &a) {
  const siamban::DepthwiseKernel kernel = siamban::depthwise_kernel(a.kernel_height, a.kernel_width, 1);
  const int64_t slices = (a.channels + kLanes - 1) / kLanes, taps = a.kernel_height * a.kernel_width;
  const int64_t map = a.out_height * a.out_width * a.channels;
  const bool worth = a.batch * map * taps > siamban::kSharedProducts;
  const int64_t bands = worth ? std::min(a.out_height, siamban::team_size()) : 1;
  siamban::share(a.batch * slices * bands, worth, [&](int64_t task) {
    const int64_t channel = task % slices * kLanes, band = task / slices % bands, b = task / slices / bands;
    siamban::DepthwiseBand d = {};
    d.x = a.x + b * a.height * a.width * a.channels + channel;
    // Flipped, the template is read from its end.
    d.w = a.z + (b * taps + (a.flip ? taps - 1 : 0)) * a.channels + channel;
    d.tap = a.flip ? -a.channels : a.channels;
    d.y = a.y + b * map + channel;
    d.height = a.height, d.width = a.width, d.channels = a.channels, d.out_width = a.out_width;
    d.padding = a.padding, d.activation = siamban::kNone;
    d.first_row = a.out_height * band / bands, d.last_row = a.out_height * (band + 1) / bands;
    d.lanes = a.channels - channel;
    kernel(d);
  });
}

}  // namespace

namespace siamban {

bool shares_xcorr_depthwise(const void *block) {
  const Args &a = *static_cast<const Args *>(block);
  return depthwise_kernel(a.kernel_height, a.kernel_width, 1) != nullptr;
}

}  // namespace siamban

SIAMBAN_EXPORT int32_t siamban_xcorr_depthwise(const Args *args) {
  if (siamban::shares_xcorr_depthwise(args)) return correlate_bands(*args), 0;
  return siamban::guarded([&] {
    const Args &a = *args;
    const int64_t slices = (a.channels + kLanes - 1) / kLanes;
    const int64_t pixels = (a.height + 2 * a.padding) * (a.width + 2 * a.padding);
    const int64_t part = pixels + a.kernel_height * a.kernel_width;
    // Before the threads start, because no exception may leave one of them.
    const size_t bytes = part * omp_get_max_threads() * sizeof(Vector);
    Vector *scratch = static_cast<Vector *>(siamban::scratch(siamban::kImages, bytes));
#pragma omp parallel for collapse(2) schedule(static)
    for (int64_t b = 0; b < a.batch; b++) {
      for (int64_t k = 0; k < slices; k++) {
        Vector *x = scratch + part * omp_get_thread_num();
        correlate_slice(a, b, k * kLanes, x, x + pixels);
      }
    }
  });
}
