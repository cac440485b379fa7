// Products of matrices, one an image: c[i] = op(a[i]) · op(b[i]), op the identity or the transpose,
// row-major: c [rows, columns], a [rows, depth] or [depth, rows], b [depth, columns] or [columns,
// depth].
//
// A block takes a tile of 32 x 32 results of one image. Along the depth it stages 32 x 32 pieces of
// both factors in shared memory, read as they lie in memory and kept so that neither a row's nor a
// column's reads fall into one bank (33 columns); a thread holds four results. The matrices here
// (pixel-wise correlation: 225 pixels, 64 template positions, 48 to 96 channels) are too small for
// tensor cores to matter: the factors, read once a tile, are what the time goes into.

#include "common.cuh"

using namespace siamban;

namespace {

constexpr int kTile = 32, kRows = 8;  // threads: kTile x kRows

// Stages [first_row, +32) x [first_column, +32) of a matrix, 0 outside; `transposed`: as it lies in
// memory.
__device__ inline void stage(const Element *matrix, int rows, int columns, int first_row,
                             int first_column, bool transposed, float (&tile)[kTile][kTile + 1]) {
  for (int k = threadIdx.y; k < kTile; k += kRows) {
    const int r = transposed ? first_row + threadIdx.x : first_row + k;
    const int c = transposed ? first_column + k : first_column + threadIdx.x;
    const bool inside = r < rows && c < columns;
    const Index at =
        transposed ? static_cast<Index>(c) * rows + r : static_cast<Index>(r) * columns + c;
    const float value = inside ? to_float(matrix[at]) : 0.f;
    if (transposed) {
      tile[threadIdx.x][k] = value;
    } else {
      tile[k][threadIdx.x] = value;
    }
  }
}

}  // namespace

// Grid: (tiles of columns, tiles of rows, images). Strides: elements from one image's factor to the
// next; 0 where all images share it.
extern "C" __global__ void __launch_bounds__(kTile *kRows)
    batch_matmul(const Element *__restrict__ a, const Element *__restrict__ b,
                 Element *__restrict__ c, int rows, int columns, int depth, int stride_a,
                 int stride_b, int transpose_a, int transpose_b) {
  __shared__ float left[kTile][kTile + 1], right[kTile][kTile + 1];
  const Index image = blockIdx.z;
  const int first_row = blockIdx.y * kTile, first_column = blockIdx.x * kTile;
  float sums[kTile / kRows] = {};
  for (int start = 0; start < depth; start += kTile) {
    stage(a + image * stride_a, rows, depth, first_row, start, transpose_a, left);
    stage(b + image * stride_b, depth, columns, start, first_column, transpose_b, right);
    __syncthreads();
#pragma unroll
    for (int k = 0; k < kTile; k++) {
      const float factor = right[k][threadIdx.x];
#pragma unroll
      for (int i = 0; i < kTile / kRows; i++) sums[i] += left[threadIdx.y + i * kRows][k] * factor;
    }
    __syncthreads();
  }
  const int column = first_column + threadIdx.x;
  for (int i = 0; i < kTile / kRows; i++) {
    const int row = first_row + threadIdx.y + i * kRows;
    if (row < rows && column < columns) {
      c[(image * rows + row) * columns + column] = from_float<Element>(sums[i]);
    }
  }
}
