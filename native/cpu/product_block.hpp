// See product_block.cpp.
#pragma once

#include <cstdint>

namespace siamban {

constexpr int64_t kMostVectors = 3;

struct ProductBlock {
  const float *a;
  int64_t a_row, a_run;  // s and p
  const float *b;
  int64_t b_run;  // floats from one run's filters to the next one's
  int64_t runs, depth;
  const float *bias;      // of the first output, or NULL
  const float *residual;  // likewise
  float *y;
  int64_t y_row;   // floats between pixels of `y` and of `residual`
  int64_t outputs;  // of the block: those behind them are not stored
  int64_t activation;
};

// Any number of rows, in blocks of nearly equal height; `vectors` of outputs, up to kMostVectors.
void multiply_products(int64_t count, int64_t vectors, ProductBlock block);

}  // namespace siamban
