// y = activate(x), and dx = dy where 0 < y (and y < 6 for ReLU6), else 0.
// One thread an element; Element is the type of all operands.
#include "common.cuh"

extern "C" __global__ void activation(const Element *x, Element *y, int count, int kind) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) store(y + i, activate(toFloat(x[i]), kind));
}

extern "C" __global__ void activation_backward(const Element *dy, const Element *y, Element *dx, int count, int kind) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const float at = toFloat(y[i]);
  const bool passes = at > 0.f && (kind != 2 || at < 6.f);
  store(dx + i, passes ? toFloat(dy[i]) : 0.f);
}
