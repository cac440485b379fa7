// Max pooling, NHWC: y[b, i, j, c] = max over the window of x; positions outside the image never win.
// Backward sends dy to the first maximum in row-major order. Not-a-number wins, as in PyTorch.

#include <algorithm>
#include <limits>

#include "native.hpp"

namespace {

struct Args {
  const float *in, *x;  // forward: x; backward: dy and x
  float *out;           // forward: y; backward: dx
  int64_t batch, height, width, channels, out_height, out_width;
  int64_t kernel, stride, padding;
};

// Taps [first, last) of the window at `position` that lie inside an axis of `size`.
struct Taps {
  int64_t origin, first, last;
  Taps(int64_t position, int64_t size, const Args &a)
      : origin(position * a.stride - a.padding),
        first(std::max<int64_t>(0, -origin)),
        last(std::min(a.kernel, size - origin)) {}
};

inline bool wins(float value, float best) { return value > best || value != value; }

void pool_row(const Args &a, int64_t b, int64_t i) {
  const Taps rows(i, a.height, a);
  for (int64_t j = 0; j < a.out_width; j++) {
    const Taps columns(j, a.width, a);
    float *__restrict y = a.out + ((b * a.out_height + i) * a.out_width + j) * a.channels;
    std::fill_n(y, a.channels, -std::numeric_limits<float>::infinity());
    for (int64_t u = rows.first; u < rows.last; u++) {
      for (int64_t v = columns.first; v < columns.last; v++) {
        const int64_t pixel = (b * a.height + rows.origin + u) * a.width + columns.origin + v;
        const float *__restrict x = a.x + pixel * a.channels;
#pragma omp simd
        for (int64_t c = 0; c < a.channels; c++) y[c] = wins(x[c], y[c]) ? x[c] : y[c];
      }
    }
  }
}

constexpr int64_t kWidth = 32;

// Channels [first, first + count) of one image; windows overlap, so a block must stay on one thread.
void scatter_block(const Args &a, int64_t b, int64_t first, int64_t count) {
  float best[kWidth];
  int64_t where[kWidth];
  for (int64_t i = 0; i < a.out_height; i++) {
    const Taps rows(i, a.height, a);
    for (int64_t j = 0; j < a.out_width; j++) {
      const Taps columns(j, a.width, a);
      std::fill_n(best, count, -std::numeric_limits<float>::infinity());
      std::fill_n(where, count, -1);
      for (int64_t u = rows.first; u < rows.last; u++) {
        for (int64_t v = columns.first; v < columns.last; v++) {
          const int64_t pixel = (b * a.height + rows.origin + u) * a.width + columns.origin + v;
          const float *x = a.x + pixel * a.channels + first;
          for (int64_t c = 0; c < count; c++) {
            if (where[c] < 0 || (wins(x[c], best[c]) && best[c] == best[c])) {
              best[c] = x[c];
              where[c] = pixel;
            }
          }
        }
      }
      const float *dy = a.in + ((b * a.out_height + i) * a.out_width + j) * a.channels + first;
      for (int64_t c = 0; c < count; c++) {
        if (where[c] >= 0) a.out[where[c] * a.channels + first + c] += dy[c];
      }
    }
  }
}

}  // namespace

SIAMBAN_EXPORT int32_t siamban_max_pool2d(const Args *args) {
#pragma omp parallel for collapse(2)
  for (int64_t b = 0; b < args->batch; b++) {
    for (int64_t i = 0; i < args->out_height; i++) pool_row(*args, b, i);
  }
  return 0;
}

SIAMBAN_EXPORT int32_t siamban_max_pool2d_backward(const Args *args) {
  const Args &a = *args;
  const int64_t blocks = (a.channels + kWidth - 1) / kWidth;
  const int64_t image = a.height * a.width * a.channels;
#pragma omp parallel
  {
#pragma omp for
    for (int64_t b = 0; b < a.batch; b++) std::fill_n(a.out + b * image, image, 0.f);
#pragma omp for collapse(2)
    for (int64_t b = 0; b < a.batch; b++) {
      for (int64_t k = 0; k < blocks; k++) {
        scatter_block(a, b, k * kWidth, std::min(kWidth, a.channels - k * kWidth));
      }
    }
  }
  return 0;
}
