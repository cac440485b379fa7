// Channel attention: the gating of each map, y[b, p, c] = x[b, p, c] · σ(g[b, c]), its gradient by
// the gate, dg[b, c] = σ'(g[b, c]) Σ_p dy[b, p, c] · x[b, p, c], and the gradient of a mean over
// each map, dx[b, p, c] = dy[b, c] / P. Maps are [B, P, C], P = H · W; the mean itself is
// reduce.cu's.
//
// A block walks over the pixels of one image (blockIdx.z; see rows.cuh), so a gate is computed once
// a thread. Gating reads and writes each element once; the sum of a map, which is small here, is
// one block's a column of channels, so that one launch is enough.

#include "rows.cuh"

using namespace siamban;

namespace {

constexpr int kVector = 4;

enum Gate { kSigmoid = 0, kHardSigmoid = 1 };  // numbers of src/ops/channel_gate.ts

__device__ inline float open(float gate, int kind) {
  if (kind == kHardSigmoid) return fminf(fmaxf(gate / 6.f + 0.5f, 0.f), 1.f);
  return 1.f / (1.f + expf(-gate));
}

__device__ inline float slope(float gate, int kind) {
  if (kind == kHardSigmoid) return gate > -3.f && gate < 3.f ? 1.f / 6.f : 0.f;
  const float value = open(gate, kind);
  return value * (1.f - value);
}

template <int count>
__device__ inline void channel_gate(const Element *x, const Element *gate, Element *y, int pixels,
                                    int channels, int kind) {
  const Walk<count> walk(pixels, channels);
  if (!walk.active) return;
  const Index image = blockIdx.z;
  float scale[count];
  load<count>(gate + image * channels + walk.channel, scale);
  for (int k = 0; k < count; k++) scale[k] = open(scale[k], kind);
#pragma unroll 4
  for (Index row = walk.first; row < walk.last; row += walk.step) {
    const Index at = (image * pixels + row) * channels + walk.channel;
    float values[count];
    load<count>(x + at, values);
    for (int k = 0; k < count; k++) values[k] *= scale[k];
    store<count>(y + at, values);
  }
}

template <int count>
__device__ inline void channel_gate_backward(const Element *dy, const Element *x,
                                             const Element *gate, Element *dgate, int pixels,
                                             int channels, int kind) {
  __shared__ float scratch[kRowThreads * count];
  const Walk<count> walk(pixels, channels);
  const Index image = blockIdx.z;
  float sums[count] = {};
#pragma unroll 4
  for (Index row = walk.first; row < walk.last; row += walk.step) {
    const Index at = (image * pixels + row) * channels + walk.channel;
    float gradient[count], values[count];
    load<count>(dy + at, gradient);
    load<count>(x + at, values);
    for (int k = 0; k < count; k++) sums[k] += gradient[k] * values[k];
  }
  sum_column<count>(sums, scratch);
  if (threadIdx.y != 0 || !walk.active) return;
  const Index at = image * channels + walk.channel;
  float gates[count];
  load<count>(gate + at, gates);
  for (int k = 0; k < count; k++) sums[k] *= slope(gates[k], kind);
  store<count>(dgate + at, sums);
}

template <int count>
__device__ inline void spread_mean(const Element *dy, Element *dx, int pixels, int channels) {
  const Walk<count> walk(pixels, channels);
  if (!walk.active) return;
  const Index image = blockIdx.z;
  float share[count];
  load<count>(dy + image * channels + walk.channel, share);
  for (int k = 0; k < count; k++) share[k] /= pixels;
  for (Index row = walk.first; row < walk.last; row += walk.step) {
    store<count>(dx + (image * pixels + row) * channels + walk.channel, share);
  }
}

}  // namespace

// Each kernel twice: for channels that are a multiple of four, and for any number.
#define SIAMBAN_BOTH(name, parameters, arguments)                                      \
  extern "C" __global__ void __launch_bounds__(kRowThreads) name##_vector parameters { \
    name<kVector> arguments;                                                           \
  }                                                                                    \
  extern "C" __global__ void __launch_bounds__(kRowThreads) name##_scalar parameters { \
    name<1> arguments;                                                                 \
  }

SIAMBAN_BOTH(channel_gate,
             (const Element *__restrict__ x, const Element *__restrict__ gate,
              Element *__restrict__ y, int pixels, int channels, int kind),
             (x, gate, y, pixels, channels, kind))
SIAMBAN_BOTH(channel_gate_backward,
             (const Element *__restrict__ dy, const Element *__restrict__ x,
              const Element *__restrict__ gate, Element *__restrict__ dgate, int pixels,
              int channels, int kind),
             (dy, x, gate, dgate, pixels, channels, kind))
SIAMBAN_BOTH(spread_mean,
             (const Element *__restrict__ dy, Element *__restrict__ dx, int pixels, int channels),
             (dy, dx, pixels, channels))
