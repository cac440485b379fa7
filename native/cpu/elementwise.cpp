// Sums and products of whole tensors: what adds up gradients and scales them; and the choice of labels.

#include "native.hpp"

namespace {

struct BinaryArgs {
  const float *a, *b;
  float *out;
  int64_t size, b_is_scalar;
};

struct SumArgs {
  const float *const *inputs;
  float *out;
  int64_t count, size;
};

struct EqualArgs {
  const int32_t *a, *b;  // b is one number
  float *out;
  int64_t size;
};

template <typename Operation>
int32_t combine(const BinaryArgs &args, Operation operation) {
  const float *__restrict a = args.a, *__restrict b = args.b;
  float *__restrict out = args.out;
  const bool parallel = args.size > siamban::kParallelFloats;
  if (args.b_is_scalar) {
    const float scalar = *b;
#pragma omp parallel for simd schedule(static) if (parallel)
    for (int64_t i = 0; i < args.size; i++) out[i] = operation(a[i], scalar);
    return 0;
  }
#pragma omp parallel for simd schedule(static) if (parallel)
  for (int64_t i = 0; i < args.size; i++) out[i] = operation(a[i], b[i]);
  return 0;
}

}  // namespace

SIAMBAN_EXPORT int32_t siamban_add(const BinaryArgs *args) {
  return combine(*args, [](float a, float b) { return a + b; });
}

SIAMBAN_EXPORT int32_t siamban_multiply(const BinaryArgs *args) {
  return combine(*args, [](float a, float b) { return a * b; });
}

SIAMBAN_EXPORT int32_t siamban_add_n(const SumArgs *args) {
  const SumArgs &a = *args;
#pragma omp parallel for schedule(static) if (a.size > siamban::kParallelFloats)
  for (int64_t i = 0; i < a.size; i++) {
    float sum = a.inputs[0][i];
    for (int64_t k = 1; k < a.count; k++) sum += a.inputs[k][i];
    a.out[i] = sum;
  }
  return 0;
}

// 1 where a is the number b, else 0.
SIAMBAN_EXPORT int32_t siamban_equal(const EqualArgs *args) {
  for (int64_t i = 0; i < args->size; i++) args->out[i] = args->a[i] == *args->b ? 1.f : 0.f;
  return 0;
}
