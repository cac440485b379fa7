// relu(x) = max(x, 0), relu6(x) = min(max(x, 0), 6), and their gradients from the output; hard
// swish x · relu6(x + 3) / 6, and its gradient from the input.
//
// A thread takes 16 bytes at a time and strides over the grid; the last few elements go one by one.

#include "common.cuh"

using namespace siamban;

extern "C" __global__ void activation(const Element *__restrict__ x, Element *__restrict__ y,
                                      int size, int kind) {
  constexpr int count = kWide<Element>;
  const Index packs = size / count;
  for (Index i = grid_thread(); i < packs; i += grid_size()) {
    float values[count];
    load<count>(x + i * count, values);
    for (int k = 0; k < count; k++) values[k] = activate(values[k], kind);
    store<count>(y + i * count, values);
  }
  for (Index i = packs * count + grid_thread(); i < size; i += grid_size()) {
    y[i] = from_float<Element>(activate(to_float(x[i]), kind));
  }
}

extern "C" __global__ void activation_backward(const Element *__restrict__ dy,
                                               const Element *__restrict__ y,
                                               Element *__restrict__ dx, int size, int kind) {
  constexpr int count = kWide<Element>;
  const Index packs = size / count;
  for (Index i = grid_thread(); i < packs; i += grid_size()) {
    float gradient[count], outputs[count];
    load<count>(dy + i * count, gradient);
    load<count>(y + i * count, outputs);
    for (int k = 0; k < count; k++) gradient[k] = passes(outputs[k], kind) ? gradient[k] : 0.f;
    store<count>(dx + i * count, gradient);
  }
  for (Index i = packs * count + grid_thread(); i < size; i += grid_size()) {
    dx[i] = from_float<Element>(passes(to_float(y[i]), kind) ? to_float(dy[i]) : 0.f);
  }
}

namespace {

// 0 below −3, dy above 3, dy · (x / 3 + 1 / 2) between.
__device__ inline float behind_hard_swish(float dy, float x) {
  return x < -3.f ? 0.f : x > 3.f ? dy : dy * (x / 3.f + 0.5f);
}

}  // namespace

extern "C" __global__ void hard_swish_backward(const Element *__restrict__ dy,
                                               const Element *__restrict__ x,
                                               Element *__restrict__ dx, int size) {
  constexpr int count = kWide<Element>;
  const Index packs = size / count;
  for (Index i = grid_thread(); i < packs; i += grid_size()) {
    float gradient[count], inputs[count];
    load<count>(dy + i * count, gradient);
    load<count>(x + i * count, inputs);
    for (int k = 0; k < count; k++) gradient[k] = behind_hard_swish(gradient[k], inputs[k]);
    store<count>(dx + i * count, gradient);
  }
  for (Index i = packs * count + grid_thread(); i < size; i += grid_size()) {
    dx[i] = from_float<Element>(behind_hard_swish(to_float(dy[i]), to_float(x[i])));
  }
}
