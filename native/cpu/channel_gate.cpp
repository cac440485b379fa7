// Channel attention: the mean of each map, m[b, c] = Σ_p x[b, p, c] / P, the gating of each map,
// y[b, p, c] = x[b, p, c] · σ(g[b, c]), and the gradients of both. Maps are `[B, P, C]`, P = H · W.
//
// Sums run along channels, so that rows are read as they lie in memory; maps are too small for threads.

#include <algorithm>
#include <cmath>
#include <vector>

#include "native.hpp"

namespace {

enum Gate : int64_t { kSigmoid = 0, kHardSigmoid = 1 };  // numbers of src/ops/channel_gate.ts

struct MeanArgs {
  const float *x;
  float *mean;
  int64_t batch, pixels, channels;
};

struct MeanBackwardArgs {
  const float *dy;
  float *dx;
  int64_t batch, pixels, channels;
};

struct GateArgs {
  const float *x, *gate;
  float *y;
  int64_t batch, pixels, channels, kind;
};

struct GateBackwardArgs {
  const float *dy, *x, *gate;
  float *dgate;
  int64_t batch, pixels, channels, kind;
};

float open(float g, int64_t kind) {
  if (kind == kHardSigmoid) return std::min(std::max(g * (1.f / 6.f) + .5f, 0.f), 1.f);
  return 1.f / (1.f + std::exp(-g));
}

float slope(float g, int64_t kind) {
  if (kind == kHardSigmoid) return g > -3.f && g < 3.f ? 1.f / 6.f : 0.f;
  const float value = open(g, kind);
  return value * (1.f - value);
}

}  // namespace

SIAMBAN_EXPORT int32_t siamban_spatial_mean(const MeanArgs *args) {
  return siamban::guarded([&] {
    const MeanArgs &a = *args;
    // Sums of chunks in double: one float sum over a map of 128 x 128 loses four digits.
    constexpr int64_t chunk = 64;
    std::vector<float> part(a.channels);
    std::vector<double> sum(a.channels);
    for (int64_t b = 0; b < a.batch; b++) {
      std::fill(sum.begin(), sum.end(), 0.);
      for (int64_t p = 0; p < a.pixels;) {
        std::fill(part.begin(), part.end(), 0.f);
        for (const int64_t end = std::min(p + chunk, a.pixels); p < end; p++) {
          const float *row = a.x + (b * a.pixels + p) * a.channels;
          for (int64_t c = 0; c < a.channels; c++) part[c] += row[c];
        }
        for (int64_t c = 0; c < a.channels; c++) sum[c] += part[c];
      }
      float *mean = a.mean + b * a.channels;
      for (int64_t c = 0; c < a.channels; c++) mean[c] = sum[c] / a.pixels;
    }
  });
}

SIAMBAN_EXPORT int32_t siamban_spatial_mean_backward(const MeanBackwardArgs *args) {
  const MeanBackwardArgs &a = *args;
  const float share = 1.f / static_cast<float>(a.pixels);
  for (int64_t row = 0; row < a.batch * a.pixels; row++) {
    const float *from = a.dy + row / a.pixels * a.channels;
    float *__restrict to = a.dx + row * a.channels;
    for (int64_t c = 0; c < a.channels; c++) to[c] = from[c] * share;
  }
  return 0;
}

SIAMBAN_EXPORT int32_t siamban_channel_gate(const GateArgs *args) {
  return siamban::guarded([&] {
    const GateArgs &a = *args;
    std::vector<float> scale(a.channels);
    for (int64_t b = 0; b < a.batch; b++) {
      for (int64_t c = 0; c < a.channels; c++) scale[c] = open(a.gate[b * a.channels + c], a.kind);
      for (int64_t p = 0; p < a.pixels; p++) {
        const float *from = a.x + (b * a.pixels + p) * a.channels;
        float *to = a.y + (b * a.pixels + p) * a.channels;
#pragma omp simd
        for (int64_t c = 0; c < a.channels; c++) to[c] = from[c] * scale[c];
      }
    }
  });
}

SIAMBAN_EXPORT int32_t siamban_channel_gate_backward(const GateBackwardArgs *args) {
  const GateBackwardArgs &a = *args;
  for (int64_t b = 0; b < a.batch; b++) {
    float *__restrict sum = a.dgate + b * a.channels;
    std::fill_n(sum, a.channels, 0.f);
    for (int64_t p = 0; p < a.pixels; p++) {
      const float *dy = a.dy + (b * a.pixels + p) * a.channels;
      const float *x = a.x + (b * a.pixels + p) * a.channels;
      for (int64_t c = 0; c < a.channels; c++) sum[c] += dy[c] * x[c];
    }
    for (int64_t c = 0; c < a.channels; c++) sum[c] *= slope(a.gate[b * a.channels + c], a.kind);
  }
  return 0;
}
