// Copies a box of up to five axes from one tensor into another, each with strides of its own:
// slices, the inside of a padding, the parts of a concatenation, transposes (strides permuted),
// tiles (stride 0) and reversals (a negative stride).
//
// A thread moves one Word: 16 bytes where innermost axis, strides and offsets allow it (the caller
// then counts in such words), else one element of 4, 2 or 1 bytes. The caller merges axes that lie
// behind one another in both tensors, so that a crop of NHWC is one run of memory a row. Reads and
// writes each byte once; neighbouring threads take neighbouring words of the target.

#include "common.cuh"

#ifndef Word
#define Word float
#endif

using namespace siamban;

namespace {

typedef Pack<float, 4> wide;  // a Word of 16 bytes

struct Axis {
  int size, from, to;  // strides in words
};

}  // namespace

#define SIAMBAN_AXES(name) int name##0, int name##1, int name##2, int name##3, int name##4

// `size`: product of the axes. The last axis is the one whose words lie next to each other in `to`.
extern "C" __global__ void copy_box(const Word *__restrict__ from, Word *__restrict__ to, int size,
                                    int from_start, int to_start, SIAMBAN_AXES(axis),
                                    SIAMBAN_AXES(from_stride), SIAMBAN_AXES(to_stride)) {
  const Axis axes[5] = {{axis0, from_stride0, to_stride0},
                        {axis1, from_stride1, to_stride1},
                        {axis2, from_stride2, to_stride2},
                        {axis3, from_stride3, to_stride3},
                        {axis4, from_stride4, to_stride4}};
  for (Index n = grid_thread(); n < size; n += grid_size()) {
    Index source = from_start, target = to_start;
    unsigned rest = static_cast<unsigned>(n);
#pragma unroll
    for (int k = 4; k >= 0; k--) {
      const int at = static_cast<int>(rest % axes[k].size);
      rest /= axes[k].size;
      source += static_cast<Index>(at) * axes[k].from;
      target += static_cast<Index>(at) * axes[k].to;
    }
    to[target] = from[source];
  }
}
