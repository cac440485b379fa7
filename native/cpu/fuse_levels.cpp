// Combines the maps of several levels into one (SiamBAN, equation 3):
//   y = Σᵢ pᵢ · f(sᵢ · xᵢ), p = softmax(weight) or 1 / levels, f the identity or the exponential,
// and its gradients by every map, by the weight and by the scale s.
//
// Level by level over the whole map: maps of 25 x 25 points fit the cache, and the inner loop is one stream.

#include <algorithm>
#include <cmath>
#include <vector>

#include "native.hpp"

namespace {

struct ForwardArgs {
  const float *const *maps;
  const float *weight, *scale;  // NULL where absent
  float *y;
  int64_t levels, size, exponential;
};

struct BackwardArgs {
  const float *dy;
  const float *const *maps;
  const float *weight, *scale;
  float *const *dmaps;
  float *dweight, *dscale;
  int64_t levels, size, exponential;
};

std::vector<double> shares_of(const float *weight, int64_t levels) {
  std::vector<double> shares(levels, 1.0);
  double sum = 0;
  const float largest = weight ? *std::max_element(weight, weight + levels) : 0.f;
  for (int64_t i = 0; i < levels; i++) {
    if (weight) shares[i] = std::exp(static_cast<double>(weight[i]) - largest);
    sum += shares[i];
  }
  for (double &share : shares) share /= sum;
  return shares;
}

template <bool exponential>
void forward(const ForwardArgs &a, const std::vector<double> &shares) {
  for (int64_t i = 0; i < a.levels; i++) {
    const float share = static_cast<float>(shares[i]), scale = a.scale ? a.scale[i] : 1.f;
    const float *__restrict x = a.maps[i];
    float *__restrict y = a.y;
#pragma omp parallel for simd schedule(static) if (a.size > siamban::kParallelFloats)
    for (int64_t n = 0; n < a.size; n++) {
      const float scaled = scale * x[n], value = exponential ? std::exp(scaled) : scaled;
      y[n] = (i == 0 ? 0.f : y[n]) + share * value;
    }
  }
}

// Sums Σ dy f(s x) and Σ dy p f'(s x) x of one level, and writes its gradient.
template <bool exponential>
void backward_level(const BackwardArgs &a, int64_t i, double share, double sums[2]) {
  const float scale = a.scale ? a.scale[i] : 1.f, factor = static_cast<float>(share);
  const float *__restrict x = a.maps[i], *__restrict dy = a.dy;
  float *__restrict dx = a.dmaps[i];
  double by_share = 0, by_scale = 0;
#pragma omp simd reduction(+ : by_share, by_scale)
  for (int64_t n = 0; n < a.size; n++) {
    const float scaled = scale * x[n], value = exponential ? std::exp(scaled) : scaled;
    const float by_scaled = dy[n] * factor * (exponential ? value : 1.f);
    by_share += static_cast<double>(dy[n]) * value;
    by_scale += static_cast<double>(by_scaled) * x[n];
    dx[n] = by_scaled * scale;
  }
  sums[0] = by_share;
  sums[1] = by_scale;
}

}  // namespace

SIAMBAN_EXPORT int32_t siamban_fuse_levels(const ForwardArgs *args) {
  return siamban::guarded([&] {
    const std::vector<double> shares = shares_of(args->weight, args->levels);
    if (args->exponential) return forward<true>(*args, shares);
    forward<false>(*args, shares);
  });
}

SIAMBAN_EXPORT int32_t siamban_fuse_levels_backward(const BackwardArgs *args) {
  return siamban::guarded([&] {
    const BackwardArgs &a = *args;
    const std::vector<double> shares = shares_of(a.weight, a.levels);
    std::vector<double> by_share(a.levels);
    double mean = 0;
    for (int64_t i = 0; i < a.levels; i++) {
      double sums[2];
      if (a.exponential) {
        backward_level<true>(a, i, shares[i], sums);
      } else {
        backward_level<false>(a, i, shares[i], sums);
      }
      by_share[i] = sums[0];
      mean += shares[i] * sums[0];
      if (a.dscale) a.dscale[i] = static_cast<float>(sums[1]);
    }
    if (!a.dweight) return;
    for (int64_t i = 0; i < a.levels; i++) {
      a.dweight[i] = static_cast<float>(shares[i] * (by_share[i] - mean));
    }
  });
}
