// Folds a batch norm with fixed statistics into the convolution in front of it:
// w'[o, …] = w[o, …] · k[o], b'[o] = (b[o] − μ[o]) · k[o] + β[o], k = γ / √(σ² + ε); or gives k for a convolution
// that multiplies its outputs by it, which needs no filter of its own.

#include <cmath>

#include "native.hpp"

namespace {

struct FoldArgs {
  const float *weight, *bias, *scale, *shift, *mean, *variance;
  float *folded_weight, *factors;  // one of them
  float *folded_bias;
  int64_t filters, filter_size;
  double epsilon;
};

}  // namespace

SIAMBAN_EXPORT int32_t siamban_fold_norm(const FoldArgs *args) {
  const FoldArgs a = *args;
  const int64_t size = a.folded_weight ? a.filter_size : 0;
#pragma omp parallel for if (a.filters * size > siamban::kParallelFloats)
  for (int64_t o = 0; o < a.filters; o++) {
    const double k = a.scale[o] / std::sqrt(a.variance[o] + a.epsilon);
    const double bias = a.bias ? a.bias[o] : 0.0;
    a.folded_bias[o] = static_cast<float>((bias - a.mean[o]) * k + a.shift[o]);
    const float factor = static_cast<float>(k);
    if (a.factors) a.factors[o] = factor;
    const float *from = a.weight + o * size;
    float *to = a.folded_weight + o * size;
    for (int64_t i = 0; i < size; i++) to[i] = from[i] * factor;
  }
  return 0;
}
