// Copies a box out of one 4-D tensor into another: slicing, and, after a fill, padding.

#include <algorithm>
#include <cstring>

#include "native.hpp"
#include "team.hpp"

namespace {

struct Args {
  const float *from;
  float *to;
  int64_t from_shape[4], from_at[4], to_shape[4], to_at[4], box[4];
  int64_t fill;  // whether to set all of `to` to `value` first
  double value;
};

int64_t offset(const int64_t shape[4], const int64_t at[4], int64_t i, int64_t j, int64_t k) {
  return (((at[0] + i) * shape[1] + at[1] + j) * shape[2] + at[2] + k) * shape[3] + at[3];
}

}  // namespace

SIAMBAN_EXPORT int32_t siamban_copy_box(const Args *args) {
  const Args &a = *args;
  const int64_t size = a.to_shape[0] * a.to_shape[1] * a.to_shape[2] * a.to_shape[3];
  const bool parallel = size > siamban::kParallelFloats;
  if (a.fill) {
    const float value = static_cast<float>(a.value);
    siamban::share_range(size, parallel, [&](int64_t first, int64_t last) {
      std::fill(a.to + first, a.to + last, value);
    });
  }
  // A row of pixels is one run of memory where the box has all channels of both tensors.
  const bool whole = a.box[3] == a.from_shape[3] && a.box[3] == a.to_shape[3];
  const int64_t runs = whole ? 1 : a.box[2], run = (whole ? a.box[2] : 1) * a.box[3];
  siamban::share(a.box[0] * a.box[1], parallel, [&](int64_t row) {
    const int64_t i = row / a.box[1], j = row % a.box[1];
    for (int64_t k = 0; k < runs; k++) {
      std::memcpy(a.to + offset(a.to_shape, a.to_at, i, j, k),
                  a.from + offset(a.from_shape, a.from_at, i, j, k), run * sizeof(float));
    }
  });
  return 0;
}
