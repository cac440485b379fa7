// y = eˣ, value by value.

#include <cmath>

#include "native.hpp"
#include "team.hpp"

namespace {

struct Args {
  const float *x;
  float *y;
  int64_t size;
};

}  // namespace

SIAMBAN_EXPORT int32_t siamban_exp(const Args *args) {
  const float *x = args->x;
  float *y = args->y;
  siamban::share_range(args->size, args->size > siamban::kParallelFloats, [=](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; i++) y[i] = std::exp(x[i]);
  });
  return 0;
}
