// The kernel of small convolutions: y[r][o] = activation(bias[o] + Σ_u Σ_k a[r s + u p + k] b[u][k][o] + residual[r][o])
// for a block of rows and up to three vectors of outputs, whose sums stay in registers from the bias to
// the activation.
//
// A row is a pixel of the output. What it sees of the image is `runs` runs of memory, one for a 1 x 1
// filter, one a row of the filter else; `s` floats lie between the runs of neighbouring pixels, `p`
// between those of one. Blocks of 8 x 48, 12 x 32 and 12 x 16 sums with AVX-512 (24 of 32 registers), half as
// many rows with AVX2: each value loaded from `a` or `b` serves two or more products, so that the
// units that multiply are never kept waiting by those that load.

#include "product_block.hpp"

#include "finish.hpp"
#include "gemm_block.hpp"

namespace siamban {

namespace {

constexpr int64_t rows_of(int64_t vectors) { return kBlockRows * 2 / (vectors < 2 ? 2 : vectors); }

template <int64_t rows, int64_t vectors>
void multiply_product_block(const ProductBlock &block) {
  Vector sums[rows][vectors];
#pragma GCC unroll 3
  for (int64_t v = 0; v < vectors; v++) {
    const int64_t lanes = block.outputs - v * kLanes;
    const Vector bias = !block.bias ? Vector{} :
        lanes >= kLanes ? load(block.bias + v * kLanes) : load_part(block.bias + v * kLanes, lanes);
#pragma GCC unroll 16
    for (int64_t r = 0; r < rows; r++) sums[r][v] = bias;
  }
  // One pointer for three rows, which then differ by an index: more pointers than registers cost time.
  const int64_t step = block.a_row;
  for (int64_t u = 0; u < block.runs; u++) {
    const float *a[(rows + 2) / 3];
#pragma GCC unroll 6
    for (int64_t i = 0; i < (rows + 2) / 3; i++) a[i] = block.a + u * block.a_run + 3 * i * step;
    const float *b = block.b + u * block.b_run;
    for (int64_t k = 0; k < block.depth; k++, b += vectors * kLanes) {
      Vector filters[vectors];
#pragma GCC unroll 3
      for (int64_t v = 0; v < vectors; v++) filters[v] = load(b + v * kLanes);
#pragma GCC unroll 16
      for (int64_t r = 0; r < rows; r++) {
        // Minus zero, because plus zero is no plain copy: it turns -0 into 0.
        const Vector factor = a[r / 3][r % 3 * step] - Vector{};
#pragma GCC unroll 3
        for (int64_t v = 0; v < vectors; v++) add_product(sums[r][v], factor, filters[v]);
      }
#pragma GCC unroll 6
      for (int64_t i = 0; i < (rows + 2) / 3; i++) a[i]++;
    }
  }
#pragma GCC unroll 16
  for (int64_t r = 0; r < rows; r++) {
#pragma GCC unroll 3
    for (int64_t v = 0; v < vectors; v++) {
      const int64_t at = r * block.y_row + v * kLanes;
      finish(sums[r][v], block.y + at, block.residual ? block.residual + at : nullptr, block.activation,
             block.outputs - v * kLanes);
    }
  }
}

template <int64_t vectors, int64_t rows = rows_of(vectors)>
void multiply_product_rows(int64_t count, const ProductBlock &block) {
  if constexpr (rows > 1) {
    if (count < rows) return multiply_product_rows<vectors, rows - 1>(count, block);
  }
  multiply_product_block<rows, vectors>(block);
}

}  // namespace

void multiply_products(int64_t count, int64_t vectors, ProductBlock block) {
  const int64_t most = rows_of(vectors), blocks = (count + most - 1) / most;
  for (int64_t i = 0; i < blocks; i++) {
    const int64_t rows = count * (i + 1) / blocks - count * i / blocks;
    if (vectors == 3) {
      multiply_product_rows<3>(rows, block);
    } else if (vectors == 2) {
      multiply_product_rows<2>(rows, block);
    } else {
      multiply_product_rows<1>(rows, block);
    }
    block.a += rows * block.a_row;
    block.y += rows * block.y_row;
    if (block.residual) block.residual += rows * block.y_row;
  }
}

}  // namespace siamban
