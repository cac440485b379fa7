// Channel attention on maps [B, P, C]: the mean of each map, m[b, c] = sum_p x[b, p, c] / P, the gating
// y[b, p, c] = x[b, p, c] * s(g[b, c]), and the gradients of both.
//
// Reductions: a block takes 32 channels of one image, its 8 rows of threads every eighth pixel, so
// that a warp reads 32 neighbours; the rows meet in shared memory. The rest goes value by value.

#include "common.cuh"

using namespace siamban;

namespace {

constexpr int kColumns = 32, kRows = 8;

// s(g), s being min(max(g / 6 + 1 / 2, 0), 1) where `hard`, else 1 / (1 + e^-g).
__device__ inline float open(float g, int hard) {
  if (hard) return fminf(fmaxf(g * (1.f / 6.f) + 0.5f, 0.f), 1.f);
  return 1.f / (1.f + expf(-g));
}

__device__ inline float slope(float g, int hard) {
  if (hard) return g > -3.f && g < 3.f ? 1.f / 6.f : 0.f;
  const float value = open(g, hard);
  return value * (1.f - value);
}

// The sum of `part` over the rows of a block, in its first row.
__device__ inline float sum_rows(float part) {
  __shared__ float parts[kRows][kColumns];
  parts[threadIdx.y][threadIdx.x] = part;
  __syncthreads();
  float sum = 0.f;
  if (threadIdx.y == 0) {
    for (int row = 0; row < kRows; row++) sum += parts[row][threadIdx.x];
  }
  return sum;
}

}  // namespace

extern "C" __global__ void spatial_mean(const float *__restrict__ x, float *__restrict__ mean,
                                        int pixels, int channels) {
  const int c = blockIdx.x * kColumns + threadIdx.x;
  const Index first = static_cast<Index>(blockIdx.y) * pixels;
  float part = 0.f;
  if (c < channels) {
    for (int p = threadIdx.y; p < pixels; p += kRows) part += x[(first + p) * channels + c];
  }
  const float sum = sum_rows(part);
  if (threadIdx.y == 0 && c < channels) {
    mean[static_cast<Index>(blockIdx.y) * channels + c] = sum / pixels;
  }
}

extern "C" __global__ void spatial_mean_backward(const float *__restrict__ dy,
                                                 float *__restrict__ dx, int size, int pixels,
                                                 int channels) {
  const float share = 1.f / pixels;
  for (Index i = grid_thread(); i < size; i += grid_size()) {
    const Index image = i / (static_cast<Index>(pixels) * channels);
    dx[i] = dy[image * channels + i % channels] * share;
  }
}

extern "C" __global__ void channel_gate(const float *__restrict__ x, const float *__restrict__ gate,
                                        float *__restrict__ y, int size, int pixels, int channels,
                                        int hard) {
  for (Index i = grid_thread(); i < size; i += grid_size()) {
    const Index image = i / (static_cast<Index>(pixels) * channels);
    y[i] = x[i] * open(gate[image * channels + i % channels], hard);
  }
}

extern "C" __global__ void channel_gate_backward(const float *__restrict__ dy,
                                                 const float *__restrict__ x,
                                                 const float *__restrict__ gate,
                                                 float *__restrict__ dgate, int pixels,
                                                 int channels, int hard) {
  const int c = blockIdx.x * kColumns + threadIdx.x;
  const Index first = static_cast<Index>(blockIdx.y) * pixels;
  float part = 0.f;
  if (c < channels) {
    for (int p = threadIdx.y; p < pixels; p += kRows) {
      const Index at = (first + p) * channels + c;
      part += dy[at] * x[at];
    }
  }
  const float sum = sum_rows(part);
  if (threadIdx.y == 0 && c < channels) {
    const Index at = static_cast<Index>(blockIdx.y) * channels + c;
    dgate[at] = sum * slope(gate[at], hard);
  }
}
