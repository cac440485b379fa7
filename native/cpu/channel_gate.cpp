// Channel attention: the mean of each map, m[b, c] = Σ_p x[b, p, c] / P, the gating of each map,
// y[b, p, c] = x[b, p, c] · σ(g[b, c]), and the gradients of both. Maps are `[B, P, C]`, P = H · W.
//
// A task is one vector of channels of an image, which it reads pixel by pixel.

#include <algorithm>
#include <cmath>

#include "native.hpp"
#include "team.hpp"
#include "vector.hpp"

namespace {

using siamban::kLanes;
using siamban::load_part;
using siamban::share;
using siamban::store_part;
using siamban::Vector;

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

// Sums of chunks in double: one float sum over a map of 128 x 128 loses four digits.
void mean_slice(const MeanArgs &a, const float *x, int64_t lanes, float *mean) {
  constexpr int64_t chunk = 64;
  double sum[kLanes] = {};
  for (int64_t p = 0; p < a.pixels;) {
    Vector part = {};
    for (const int64_t end = std::min(p + chunk, a.pixels); p < end; p++) {
      part += load_part(x + p * a.channels, lanes);
    }
    for (int64_t c = 0; c < kLanes; c++) sum[c] += part[c];
  }
  for (int64_t c = 0; c < lanes; c++) mean[c] = sum[c] / a.pixels;
}

// From `first` on in x and y.
void gate_slice(const GateArgs &a, int64_t first, int64_t lanes, const float *gate) {
  Vector scale = {};
  for (int64_t c = 0; c < lanes; c++) scale[c] = open(gate[c], a.kind);
  const float *x = a.x + first;
  float *y = a.y + first;
  for (int64_t at = 0; at < a.pixels * a.channels; at += a.channels) {
    store_part(y + at, load_part(x + at, lanes) * scale, lanes);
  }
}

}  // namespace

SIAMBAN_EXPORT int32_t siamban_spatial_mean(const MeanArgs *args) {
  const MeanArgs &a = *args;
  const int64_t slices = (a.channels + kLanes - 1) / kLanes;
  share(a.batch * slices, a.batch * a.pixels * a.channels > siamban::kParallelFloats, [&](int64_t task) {
    const int64_t b = task / slices, channel = task % slices * kLanes;
    mean_slice(a, a.x + b * a.pixels * a.channels + channel, std::min(kLanes, a.channels - channel),
               a.mean + b * a.channels + channel);
  });
  return 0;
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
  const GateArgs &a = *args;
  const int64_t slices = (a.channels + kLanes - 1) / kLanes;
  share(a.batch * slices, a.batch * a.pixels * a.channels > siamban::kParallelFloats, [&](int64_t task) {
    const int64_t b = task / slices, channel = task % slices * kLanes;
    gate_slice(a, b * a.pixels * a.channels + channel, std::min(kLanes, a.channels - channel),
               a.gate + b * a.channels + channel);
  });
  return 0;
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
