// The sum over rows of each channel (NHWC seen as [rows, channels]): the gradient of a bias.
//
// Two launches: each of gridDim.y blocks sums its share of the rows into partial [splits,
// channels], then one block a column adds the parts in order. Reads x once; see rows.cuh for how a
// block walks.

#include "rows.cuh"

using namespace siamban;

namespace {

template <int count, typename T>
__device__ inline void sum_rows(const T *x, float *sums, Index rows, int channels) {
  __shared__ float scratch[kRowThreads * count];
  const Walk<count> walk(rows, channels);
  float total[count] = {};
#pragma unroll 4
  for (Index row = walk.first; row < walk.last; row += walk.step) {
    float values[count];
    load<count>(x + row * channels + walk.channel, values);
    for (int k = 0; k < count; k++) total[k] += values[k];
  }
  sum_column<count>(total, scratch);
  if (threadIdx.y != 0 || !walk.active) return;
  for (int k = 0; k < count; k++) {
    sums[static_cast<Index>(blockIdx.y) * channels + walk.channel + k] = total[k];
  }
}

}  // namespace

extern "C" __global__ void __launch_bounds__(kRowThreads)
    channel_sum_vector(const Element *__restrict__ x, float *__restrict__ partial, int rows,
                       int channels) {
  sum_rows<4>(x, partial, rows, channels);
}

extern "C" __global__ void __launch_bounds__(kRowThreads)
    channel_sum_scalar(const Element *__restrict__ x, float *__restrict__ partial, int rows,
                       int channels) {
  sum_rows<1>(x, partial, rows, channels);
}

extern "C" __global__ void __launch_bounds__(kRowThreads)
    channel_sum_finish(const float *__restrict__ partial, float *__restrict__ sum, int splits,
                       int channels) {
  sum_rows<1>(partial, sum, splits, channels);
}
