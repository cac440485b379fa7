// Sums, maxima and the like of a float tensor seen as [outer, length, inner], along the middle
// axis.
//
// Two kernels, by where neighbouring elements lie. `reduce_columns` (inner > 1): a thread an
// output, walking down its column, so that a warp reads whole lines. `reduce_rows` (inner = 1): a
// block an output, its threads side by side along the row. Both split a long axis over gridDim.z
// blocks into [outer, splits, inner], which a second launch reduces; the order is fixed. Reads each
// byte once.
// Runs of 32 are taken in float, runs together in double: a long sum in float would lose its
// digits.

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
template <typename T>
__device__ inline T merge(int reduction, T a, T b) {
  if (reduction == kSum) return a + b;
  if (reduction == kProduct) return a * b;
  if (a != a || b != b) return a + b;
  return (reduction == kMaximum) == (a > b) ? a : b;
}

// Reduces x[0], x[stride], … below `count`.
__device__ inline double reduce_strided(int reduction, const Element *x, int count, Index stride) {
  constexpr int kRun = 32;
  double total = neutral(reduction);
  for (int start = 0; start < count; start += kRun) {
    float run = neutral(reduction);
#pragma unroll 4
    for (int k = start; k < min(start + kRun, count); k++) {
      run = merge(reduction, run, to_float(x[k * stride]));
    }
    total = merge<double>(reduction, total, run);
  }
  return total;
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
    const double result = reduce_strided(reduction, column, last - first, inner);
    out[(o * splits + split) * inner + i] = static_cast<float>(result * scale);
  }
}

// Grid: (rows, 1, splits) of 256 threads; rows beyond the grid are walked.
extern "C" __global__ void __launch_bounds__(256)
    reduce_rows(const Element *__restrict__ x, float *__restrict__ out, int outer, int length,
                int reduction, float scale) {
  __shared__ double scratch[256];
  const int splits = gridDim.z, split = blockIdx.z;
  const int first = static_cast<int>(static_cast<Index>(length) * split / splits);
  const int last = static_cast<int>(static_cast<Index>(length) * (split + 1) / splits);
  for (Index row = blockIdx.x; row < outer; row += gridDim.x) {
    const int start = first + threadIdx.x, threads = blockDim.x;
    __syncthreads();  // the row before has been read
    scratch[threadIdx.x] = reduce_strided(reduction, x + row * length + start,
                                          (last - start + threads - 1) / threads, threads);
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
      __syncthreads();
      if (static_cast<int>(threadIdx.x) < half) {
        scratch[threadIdx.x] = merge(reduction, scratch[threadIdx.x], scratch[threadIdx.x + half]);
      }
    }
    if (threadIdx.x == 0) out[row * splits + split] = static_cast<float>(scratch[0] * scale);
  }
}
