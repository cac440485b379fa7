// C[m, n] = alpha * A[m, k] * B[k, n] + beta * C, float, any strides: the one product that cuDNN's and
// cuBLAS's stand-ins are made of.
#pragma once

#include <cstddef>
#include <cstdint>

namespace emulated {

// Element (i, j) lies at data[i * row + j * column].
struct Matrix {
  const float *data;
  ptrdiff_t row, column;
};

void gemm(int64_t m, int64_t n, int64_t k, float alpha, Matrix a, Matrix b, float beta, float *c,
          ptrdiff_t c_row, ptrdiff_t c_column);

}  // namespace emulated
