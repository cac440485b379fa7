// Folds a batch norm with fixed statistics into the filter in front of it:
// w'[o, …] = w[o, …] · k[o], b'[o] = (b[o] − μ[o]) · k[o] + β[o], k = γ / √(σ² + ε).

#include <cmath>

#include "native.hpp"

namespace {

struct FoldArgs {
  const float *weight, *bias, *scale, *shift, *mean, *variance;
  float *folded_weight, *folded_bias;
  int64_t filters, filter_size;
  double epsilon;
};

}  // namespace

SIAMBAN_EXPORT int32_t siamban_fold_norm(const FoldArgs *args) {
  const FoldArgs a = *args;
#pragma omp parallel for if (a.filters * a.filter_size > siamban::kParallelFloats)
  for (int64_t o = 0; o < a.filters; o++) {
    const double k = a.scale[o] / std::sqrt(a.variance[o] + a.epsilon);
    const double bias = a.bias ? a.bias[o] : 0.0;
    a.folded_bias[o] = static_cast<float>((bias - a.mean[o]) * k + a.shift[o]);
    const float *from = a.weight + o * a.filter_size;
    float *to = a.folded_weight + o * a.filter_size;
    const float factor = static_cast<float>(k);
    for (int64_t i = 0; i < a.filter_size; i++) to[i] = from[i] * factor;
  }
  return 0;
}
