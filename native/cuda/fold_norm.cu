// Folds a batch norm with fixed statistics into the filter in front of it,
//   w'[o, …] = w[o, …] · k[o], b'[o] = (b[o] − μ[o]) · k[o] + β[o], k = γ / √(σ² + ε),
// and finishes a convolution that cannot do so itself: y = act(y + b' + residual), in place.
//
// Folding runs once a change of weights, a block a filter. Finishing is one pass over [rows,
// channels] (rows.cuh): it reads y and the residual and writes y, 8 or 12 bytes an element.

#include "rows.cuh"

using namespace siamban;

extern "C" __global__ void fold_norm(const float *__restrict__ weight,
                                     const float *__restrict__ bias,
                                     const float *__restrict__ scale,
                                     const float *__restrict__ shift,
                                     const float *__restrict__ mean,
                                     const float *__restrict__ variance,
                                     Element *__restrict__ folded, float *__restrict__ folded_bias,
                                     int filters, int filter_size, float epsilon) {
  for (int o = blockIdx.x; o < filters; o += gridDim.x) {
    const float k = scale[o] / sqrtf(variance[o] + epsilon);
    if (threadIdx.x == 0) folded_bias[o] = ((bias ? bias[o] : 0.f) - mean[o]) * k + shift[o];
    const Index first = static_cast<Index>(o) * filter_size;
    for (int i = threadIdx.x; i < filter_size; i += blockDim.x) {
      folded[first + i] = from_float<Element>(weight[first + i] * k);
    }
  }
}

namespace {

template <int count>
__device__ inline void finish(Element *y, const float *bias, const Element *residual, int rows,
                              int channels, int activation) {
  const Walk<count> walk(rows, channels);
  if (!walk.active) return;
  float shift[count] = {};
  if (bias) {
    for (int k = 0; k < count; k++) shift[k] = bias[walk.channel + k];
  }
#pragma unroll 4
  for (Index row = walk.first; row < walk.last; row += walk.step) {
    const Index at = row * channels + walk.channel;
    float values[count], added[count] = {};
    load<count>(y + at, values);
    if (residual) load<count>(residual + at, added);
    for (int k = 0; k < count; k++)
      values[k] = activate(values[k] + shift[k] + added[k], activation);
    store<count>(y + at, values);
  }
}

}  // namespace

extern "C" __global__ void __launch_bounds__(kRowThreads)
    finish_convolution_vector(Element *y, const float *__restrict__ bias,
                              const Element *__restrict__ residual, int rows, int channels,
                              int activation) {
  finish<4>(y, bias, residual, rows, channels, activation);
}

extern "C" __global__ void __launch_bounds__(kRowThreads)
    finish_convolution_scalar(Element *y, const float *__restrict__ bias,
                              const Element *__restrict__ residual, int rows, int channels,
                              int activation) {
  finish<1>(y, bias, residual, rows, channels, activation);
}
