// A map [rows, channels] (NHWC with all pixels in a row) walked by channel.
//
// A block is columns x rows of threads: threadIdx.x takes `count` neighbouring channels,
// threadIdx.y every blockDim.y-th row, so that a warp reads whole lines, what belongs to a channel
// stays in registers, and no index is divided. The rows are split evenly over gridDim.y blocks.
#pragma once

#include "common.cuh"

namespace siamban {

constexpr int kRowThreads = 256;

// This thread's share of a map.
template <int count>
struct Walk {
  int channel;              // the first of `count`
  Index first, last, step;  // rows
  bool active;              // whether the channel exists; an idle thread still meets the barriers

  __device__ inline Walk(Index rows, int channels) {
    channel = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) * count;
    active = channel < channels;
    first = rows * blockIdx.y / gridDim.y + threadIdx.y;
    last = active ? rows * (blockIdx.y + 1) / gridDim.y : 0;
    step = blockDim.y;
  }
};

// Sums each of `values` over the threads of a column, by a fixed tree; valid where threadIdx.y is
// 0. blockDim.y is a power of two. `scratch` holds kRowThreads · count values.
template <int count, typename T>
__device__ inline void sum_column(T values[count], T *scratch) {
  const int columns = blockDim.x;
  T *own = scratch + (threadIdx.y * columns + threadIdx.x) * count;
  __syncthreads();  // the scratch may still be read from the call before
  for (int k = 0; k < count; k++) own[k] = values[k];
  for (int half = blockDim.y / 2; half > 0; half /= 2) {
    __syncthreads();
    if (static_cast<int>(threadIdx.y) < half) {
      for (int k = 0; k < count; k++) own[k] += own[half * columns * count + k];
    }
  }
  for (int k = 0; k < count; k++) values[k] = own[k];
}

}  // namespace siamban
