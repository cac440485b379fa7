// relu(x) = max(x, 0), relu6(x) = min(max(x, 0), 6), and their gradients from the output.

#include "native.hpp"
#include "team.hpp"

namespace {

struct ForwardArgs {
  const float *x;
  float *y;
  int64_t size, kind;
};

struct BackwardArgs {
  const float *dy, *y;
  float *dx;
  int64_t size, kind;
};

template <int64_t kind>
void forward(const ForwardArgs &a) {
  const float *x = a.x;
  float *y = a.y;
  siamban::share_range(a.size, a.size > siamban::kParallelFloats, [=](int64_t first, int64_t last) {
#pragma omp simd
    for (int64_t i = first; i < last; i++) y[i] = siamban::activate(x[i], kind);
  });
}

template <int64_t kind>
void backward(const BackwardArgs &a) {
#pragma omp parallel for simd schedule(static) if (a.size > siamban::kParallelFloats)
  for (int64_t i = 0; i < a.size; i++) a.dx[i] = siamban::passes(a.y[i], kind) ? a.dy[i] : 0.f;
}

}  // namespace

SIAMBAN_EXPORT int32_t siamban_activation(const ForwardArgs *args) {
  if (args->kind == siamban::kRelu6) {
    forward<siamban::kRelu6>(*args);
  } else {
    forward<siamban::kRelu>(*args);
  }
  return 0;
}

SIAMBAN_EXPORT int32_t siamban_activation_backward(const BackwardArgs *args) {
  if (args->kind == siamban::kRelu6) {
    backward<siamban::kRelu6>(*args);
  } else {
    backward<siamban::kRelu>(*args);
  }
  return 0;
}
