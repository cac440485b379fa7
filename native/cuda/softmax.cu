// y = exp(x − max x) / Σ exp(x − max x) over the last axis of [rows, length].
//
// A thread a row: the rows here are the two classes of a point or the weights of a few levels, so a
// row is one access or two, and its sum needs no other thread. Reads x up to three times, from the
// cache.

#include "common.cuh"

using namespace siamban;

extern "C" __global__ void softmax(const Element *__restrict__ x, Element *__restrict__ y, int rows,
                                   int length) {
  for (Index row = grid_thread(); row < rows; row += grid_size()) {
    const Element *from = x + row * length;
    Element *to = y + row * length;
    float largest = -infinity();
    for (int k = 0; k < length; k++) {
      const float value = to_float(from[k]);
      if (value > largest || value != value) largest = value;
    }
    float sum = 0.f;
    for (int k = 0; k < length; k++) sum += expf(to_float(from[k]) - largest);
    for (int k = 0; k < length; k++) {
      to[k] = from_float<Element>(expf(to_float(from[k]) - largest) / sum);
    }
  }
}
