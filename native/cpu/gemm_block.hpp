// Matrix products in vector registers: c[r][n] (+)= Σ_k a[r, k] b[k][n], for a block of rows and two vectors of
// columns whose sums all stay in registers. 12 x 32 sums with AVX-512 (24 of 32 registers),
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

// c (+)= a b for `rows` rows up to kBlockRows and kBlockColumns columns; sums over `depth`.
void multiply_rows(int64_t rows, Strided a, const float *b, int64_t b_row, float *c, int64_t c_row, int64_t depth,
                   bool add);

}  // namespace siamban
