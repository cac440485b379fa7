// Sums, maxima and the like of a float tensor seen as [outer, length, inner], along the middle
// axis.
//
// Two kernels, by where neighbouring elements lie. `reduce_columns` (inner > 1): a thread an
// output, walking down its column, so that a warp reads whole lines. `reduce_rows` (inner = 1): a
// block an output, its threads side by side along the row. Both split a long axis over gridDim.z
// blocks into [outer, splits, inner], which a second launch reduces; the order is fixed. Reads each
// byte once.

#include "common.cuh"

using namespace siamban;

namespace {

// Numbers of reduce.ts.
enum Reduction { kSum, kMaximum, kMinimum, kProduct };

__device__ inline float neutral(int reduction) {
  if (reduction == kSum) return 0.f;
  if (reduction == kProduct) return 1.f;
  return reduction == kMaximum ? -infinity() : infinity();
}

// What is not a number stays so.
__device__ inline float merge(int reduction, float a, float b) {
  if (reduction == kSum) return a + b;
  if (reduction == kProduct) return a * b;
  if (a != a || b != b) return a + b;
  return (reduction == kMaximum) == (a > b) ? a : b;
}

}  // namespace

// Grid: (outputs, 1, splits) of one dimension of threads.
extern "C" __global__ void reduce_columns(const Element *__restrict__ x, float *__restrict__ out,
                                          int outer, int length, int inner, int reduction,
                                          float scale) {
  const int splits = gridDim.z, split = blockIdx.z;
  const int first = static_cast<int>(static_cast<Index>(length) * split / splits);
  const int last = static_cast<int>(static_cast<Index>(length) * (split + 1) / splits);
  for (Index n = grid_thread(); n < static_cast<Index>(outer) * inner; n += grid_size()) {
    const Index o = n / inner, i = n % inner;
    const Element *column = x + (o * length + first) * inner + i;
    float result = neutral(reduction);
#pragma unroll 4
    for (int k = first; k < last; k++, column += inner)
      result = merge(reduction, result, to_float(*column));
    out[(o * splits + split) * inner + i] = result * scale;
  }
}

// Grid: (rows, 1, splits) of 256 threads; rows beyond the grid are walked.
extern "C" __global__ void __launch_bounds__(256)
    reduce_rows(const Element *__restrict__ x, float *__restrict__ out, int outer, int length,
                int reduction, float scale) {
  __shared__ float scratch[256];
  const int splits = gridDim.z, split = blockIdx.z;
  const int first = static_cast<int>(static_cast<Index>(length) * split / splits);
  const int last = static_cast<int>(static_cast<Index>(length) * (split + 1) / splits);
  for (Index row = blockIdx.x; row < outer; row += gridDim.x) {
    float result = neutral(reduction);
#pragma unroll 4
    for (int k = first + threadIdx.x; k < last; k += blockDim.x) {
      result = merge(reduction, result, to_float(x[row * length + k]));
    }
    __syncthreads();  // the row before has been read
    scratch[threadIdx.x] = result;
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
      __syncthreads();
      if (static_cast<int>(threadIdx.x) < half) {
        scratch[threadIdx.x] = merge(reduction, scratch[threadIdx.x], scratch[threadIdx.x + half]);
      }
    }
    if (threadIdx.x == 0) out[row * splits + split] = scratch[0] * scale;
  }
}
