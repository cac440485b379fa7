// Max pooling, NHWC: y[b, i, j, c] = max over the window of x; positions outside the image never
// win, and not-a-number does, as in PyTorch.
//
// Backward sends dy to the first maximum of a window in row-major order. Windows overlap, so it is
// two launches without atomics: `max_pool2d_winners` writes the winning tap of each window (two
// bytes an output, x is read once), then `max_pool2d_backward` gathers: each input pixel adds the
// dy of those windows that it won, in the windows' order. A thread takes four neighbouring channels
// of a pixel, a warp whole lines (rows.cuh, with an output pixel as a row); what windows share
// comes from the cache.

#include "rows.cuh"

using namespace siamban;

namespace {

constexpr int kVector = 4;

typedef uint16 Tap;
constexpr Tap kNoTap = 0xffffu;

struct Pool {
  int batch, height, width, channels, out_height, out_width, kernel, stride, padding;
};

// The maxima of `count` channels of one window, and their taps; -Infinity and none in the padding.
template <int count>
struct Winners {
  float value[count];
  Tap tap[count];

  __device__ inline Winners(const Element *x, const Pool &p, int pixel, int channel) {
    const int left = pixel % p.out_width * p.stride - p.padding;
    const int top = pixel / p.out_width % p.out_height * p.stride - p.padding;
    const Index image = static_cast<Index>(pixel / p.out_width / p.out_height) * p.height * p.width;
    for (int k = 0; k < count; k++) {
      value[k] = -infinity();
      tap[k] = kNoTap;
    }
#pragma unroll 1
    for (int u = max(0, -top); u < min(p.kernel, p.height - top); u++) {
#pragma unroll 1
      for (int v = max(0, -left); v < min(p.kernel, p.width - left); v++) {
        const Index from = image + static_cast<Index>(top + u) * p.width + left + v;
        float values[count];
        load<count>(x + from * p.channels + channel, values);
        for (int k = 0; k < count; k++) {
          const float found = values[k];
          if (found > value[k] || tap[k] == kNoTap || found != found) {
            value[k] = found;
            tap[k] = static_cast<Tap>(u * p.kernel + v);
          }
        }
      }
    }
  }
};

template <int count>
__device__ inline void max_pool2d(const Element *x, Element *y, const Pool &pool) {
  const Walk<count> walk(static_cast<Index>(pool.batch) * pool.out_height * pool.out_width,
                         pool.channels);
  for (Index row = walk.first; row < walk.last; row += walk.step) {
    const Winners<count> winners(x, pool, static_cast<int>(row), walk.channel);
    store<count>(y + row * pool.channels + walk.channel, winners.value);
  }
}

template <int count>
__device__ inline void max_pool2d_winners(const Element *x, Tap *taps, const Pool &pool) {
  const Walk<count> walk(static_cast<Index>(pool.batch) * pool.out_height * pool.out_width,
                         pool.channels);
  for (Index row = walk.first; row < walk.last; row += walk.step) {
    const Winners<count> winners(x, pool, static_cast<int>(row), walk.channel);
    Pack<Tap, count> pack;
    for (int k = 0; k < count; k++) pack.at[k] = winners.tap[k];
    *reinterpret_cast<Pack<Tap, count> *>(taps + row * pool.channels + walk.channel) = pack;
  }
}

template <int count>
__device__ inline void max_pool2d_backward(const Element *dy, const Tap *taps, Element *dx,
                                           const Pool &p) {
  const Walk<count> walk(static_cast<Index>(p.batch) * p.height * p.width, p.channels);
  for (Index row = walk.first; row < walk.last; row += walk.step) {
    const int pixel = static_cast<int>(row);
    const int w = pixel % p.width + p.padding, h = pixel / p.width % p.height + p.padding;
    const Index image = static_cast<Index>(pixel / p.width / p.height) * p.out_height * p.out_width;
    // Windows that hold this pixel: those that start at most kernel − 1 before it.
    const int top = h < p.kernel ? 0 : (h - p.kernel) / p.stride + 1;
    const int left = w < p.kernel ? 0 : (w - p.kernel) / p.stride + 1;
    float sum[count] = {};
    for (int i = top; i <= h / p.stride && i < p.out_height; i++) {
      for (int j = left; j <= w / p.stride && j < p.out_width; j++) {
        const Index window =
            (image + static_cast<Index>(i) * p.out_width + j) * p.channels + walk.channel;
        const int tap = (h - i * p.stride) * p.kernel + w - j * p.stride;
        const Pack<Tap, count> winners = *reinterpret_cast<const Pack<Tap, count> *>(taps + window);
        float gradient[count];
        load<count>(dy + window, gradient);
        for (int k = 0; k < count; k++) sum[k] += winners.at[k] == tap ? gradient[k] : 0.f;
      }
    }
    store<count>(dx + row * p.channels + walk.channel, sum);
  }
}

}  // namespace

#define SIAMBAN_SIZES                                                                        \
  int batch, int height, int width, int channels, int out_height, int out_width, int kernel, \
      int stride, int padding
#define SIAMBAN_POOL \
  {batch, height, width, channels, out_height, out_width, kernel, stride, padding}

// Each kernel twice: for channels that are a multiple of four, and for any number.
#define SIAMBAN_BOTH(name, parameters, ...)                                            \
  extern "C" __global__ void __launch_bounds__(kRowThreads) name##_vector parameters { \
    name<kVector>(__VA_ARGS__, SIAMBAN_POOL);                                          \
  }                                                                                    \
  extern "C" __global__ void __launch_bounds__(kRowThreads) name##_scalar parameters { \
    name<1>(__VA_ARGS__, SIAMBAN_POOL);                                                \
  }

SIAMBAN_BOTH(max_pool2d, (const Element *__restrict__ x, Element *__restrict__ y, SIAMBAN_SIZES), x,
             y)
SIAMBAN_BOTH(max_pool2d_winners,
             (const Element *__restrict__ x, Tap *__restrict__ taps, SIAMBAN_SIZES), x, taps)
SIAMBAN_BOTH(max_pool2d_backward,
             (const Element *__restrict__ dy, const Tap *__restrict__ taps,
              Element *__restrict__ dx, SIAMBAN_SIZES),
             dy, taps, dx)
