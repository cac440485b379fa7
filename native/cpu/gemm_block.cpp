#include "gemm_block.hpp"

namespace siamban {

namespace {

// Not inlined: among a caller's other values the sums would not all stay in registers.
template <int64_t rows>
[[gnu::noinline]] void multiply_block(Strided a, const float *b, int64_t b_row, float *c, int64_t c_row, int64_t depth, bool add) {
  Vector sums[rows][2] = {};
#pragma GCC unroll 16
  for (int64_t r = 0; r < rows; r++) {
    __builtin_prefetch(c + r * c_row, 1);
    __builtin_prefetch(c + r * c_row + kBlockColumns - 1, 1);
  }
  for (int64_t k = 0; k < depth; k++) {
    const Vector left = load(b), right = load(b + kLanes);
#pragma GCC unroll 16
    for (int64_t r = 0; r < rows; r++) {
      // Minus zero, because plus zero is no plain copy: it turns -0 into 0.
      const Vector factor = a.data[r * a.row] - Vector{};
      add_product(sums[r][0], factor, left);
      add_product(sums[r][1], factor, right);
    }
    a.data += a.column;
    b += b_row;
  }
#pragma GCC unroll 16
  for (int64_t r = 0; r < rows; r++) {
    float *to = c + r * c_row;
    store(to, add ? load(to) + sums[r][0] : sums[r][0]);
    store(to + kLanes, add ? load(to + kLanes) + sums[r][1] : sums[r][1]);
  }
}

template <int64_t rows = kBlockRows>
void multiply_rows_of(int64_t count, Strided a, const float *b, int64_t b_row, float *c, int64_t c_row,
                      int64_t depth, bool add) {
  if constexpr (rows > 1) {
    if (count < rows) return multiply_rows_of<rows - 1>(count, a, b, b_row, c, c_row, depth, add);
  }
  multiply_block<rows>(a, b, b_row, c, c_row, depth, add);
}

}  // namespace

void multiply_rows(int64_t rows, Strided a, const float *b, int64_t b_row, float *c, int64_t c_row, int64_t depth,
                   bool add) {
  multiply_rows_of<>(rows, a, b, b_row, c, c_row, depth, add);
}

}  // namespace siamban
