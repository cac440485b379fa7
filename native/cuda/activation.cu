// y = activate(x), and dx = dy where 0 < y (and y < 6 for ReLU6), else 0.
// One thread an element; STORAGE is the type of all operands.
#include "common.cuh"

extern "C" __global__ void activation(const STORAGE *x, STORAGE *y, int count, int kind) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) store(y + i, activate(toFloat(x[i]), kind));
}

extern "C" __global__ void activation_backward(const STORAGE *dy, const STORAGE *y, STORAGE *dx, int count, int kind) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const float at = toFloat(y[i]);
  const bool passes = at > 0.f && (kind != 2 || at < 6.f);
  store(dx + i, passes ? toFloat(dy[i]) : 0.f);
}
