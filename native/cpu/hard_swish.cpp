// y = x · min(max(x + 3, 0), 6) / 6 and its gradient, value by value.

#include "native.hpp"
#include "team.hpp"

namespace {

struct ForwardArgs {
  const float *x;
  float *y;
  int64_t size;
};

struct BackwardArgs {
  const float *dy, *x;
  float *dx;
  int64_t size;
};

}  // namespace

SIAMBAN_EXPORT int32_t siamban_hard_swish(const ForwardArgs *args) {
  const float *x = args->x;
  float *y = args->y;
  siamban::share_range(args->size, args->size > siamban::kParallelFloats, [=](int64_t first, int64_t last) {
#pragma omp simd
    for (int64_t i = first; i < last; i++) y[i] = siamban::hard_swish(x[i]);
  });
  return 0;
}

SIAMBAN_EXPORT int32_t siamban_hard_swish_backward(const BackwardArgs *args) {
  const float *dy = args->dy, *x = args->x;
  float *dx = args->dx;
  const int64_t size = args->size;
#pragma omp parallel for simd schedule(static) if (size > siamban::kParallelFloats)
  for (int64_t i = 0; i < size; i++) {
    const float inside = x[i] * (1.f / 3.f) + .5f;
    dx[i] = dy[i] * (x[i] < -3.f ? 0.f : x[i] <= 3.f ? inside : 1.f);
  }
  return 0;
}
