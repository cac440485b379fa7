// The kernel of matrix products in vector registers: c[r][n] (+)= Σ_k a[r, k] b[k][n], for a block of rows and
// two vectors of columns whose sums all stay in registers. 12 x 32 sums with AVX-512 (24 of 32 registers),
// 6 x 16 with AVX2 (12 of 16), 4 x 8 elsewhere. The product is written as an instruction, because compilers move
// sums to memory when they come close to the number of registers.
#pragma once

#include <cstdint>

#include "vector.hpp"

namespace siamban {

#if defined(__AVX512F__)
constexpr int64_t kBlockRows = 12;
#elif defined(__AVX__)
constexpr int64_t kBlockRows = 6;
#else
constexpr int64_t kBlockRows = 4;
#endif
constexpr int64_t kBlockColumns = 2 * kLanes;

inline void add_product(Vector &sum, Vector a, Vector b) {
#if defined(__AVX512F__)
  asm("vfmadd231ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
#elif defined(__FMA__)
  asm("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b));
#else
  sum += a * b;
#endif
}

// A matrix seen through its strides, in floats.
struct Strided {
  const float *data;
  int64_t row, column;
};

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

// Any number of rows up to kBlockRows.
template <int64_t rows = kBlockRows>
void multiply_rows(int64_t count, Strided a, const float *b, int64_t b_row, float *c, int64_t c_row,
                   int64_t depth, bool add) {
  if constexpr (rows > 1) {
    if (count < rows) return multiply_rows<rows - 1>(count, a, b, b_row, c, c_row, depth, add);
  }
  multiply_block<rows>(a, b, b_row, c, c_row, depth, add);
}

}  // namespace siamban
