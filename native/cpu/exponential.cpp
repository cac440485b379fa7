// y = eˣ, value by value.

#include <cmath>

#include "native.hpp"

namespace {

struct Args {
  const float *x;
  float *y;
  int64_t size;
};

}  // namespace

SIAMBAN_EXPORT int32_t siamban_exp(const Args *args) {
#pragma omp parallel for schedule(static) if (args->size > siamban::kParallelFloats)
  for (int64_t i = 0; i < args->size; i++) args->y[i] = std::exp(args->x[i]);
  return 0;
}
