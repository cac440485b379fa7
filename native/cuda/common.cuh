// What the kernels share: the type in which activations are stored, vectors of it, the activations,
// and reductions whose order is fixed, so that a run repeats bit for bit.
//
// A kernel reads and writes `Element` (float, or bfloat16 with -DElement=bfloat16) and computes in
// float; one whose operands may differ names each by a macro of its own. Sizes are int: a tensor
// has fewer than 2^31 elements, offsets within it are computed in 64 bits where products of sizes
// may exceed that. The text needs no header of a toolkit: NVRTC compiles it as it is, and so does a
// C++ compiler that is given the built-in names of a device (threadIdx, __syncthreads, shuffles).
#pragma once

#ifndef Element
#define Element float
#endif

// Where a card copies from global to shared memory on its own.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
#define SIAMBAN_ASYNC_COPIES
#endif

namespace siamban {

typedef long long Index;
// In one word, as a macro's value on a command line had better be.
typedef unsigned char uint8;
typedef unsigned short uint16;

// A float32 cut to its upper 16 bits.
struct bfloat16 {
  uint16 bits;
};

__device__ inline float to_float(float value) { return value; }
__device__ inline float to_float(int value) { return static_cast<float>(value); }
__device__ inline float to_float(uint8 value) { return static_cast<float>(value); }
__device__ inline float to_float(bfloat16 value) {
  return __uint_as_float(static_cast<unsigned>(value.bits) << 16);
}

template <typename T>
__device__ inline T from_float(float value);
template <>
__device__ inline float from_float<float>(float value) {
  return value;
}
// Towards zero; what no int32 holds becomes 0, as in JavaScript.
template <>
__device__ inline int from_float<int>(float value) {
  return fabsf(value) < 2147483648.f ? static_cast<int>(value) : 0;
}
// Rounds to nearest, ties to even; what is not a number stays so.
template <>
__device__ inline bfloat16 from_float<bfloat16>(float value) {
  const unsigned bits = __float_as_uint(value);
  bfloat16 result;
  result.bits = static_cast<uint16>(
      value != value ? bits >> 16 | 0x40u : (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
  return result;
}

// `count` neighbouring values, moved in one access where `count` fills one.
template <typename T, int count>
struct alignas(sizeof(T) * count) Pack {
  T at[count];
};

// As many values as one 16-byte access holds.
template <typename T>
constexpr int kWide = 16 / static_cast<int>(sizeof(T));

template <int count, typename T>
__device__ inline void load(const T *from, float *to) {
  const Pack<T, count> pack = *reinterpret_cast<const Pack<T, count> *>(from);
#pragma unroll
  for (int k = 0; k < count; k++) to[k] = to_float(pack.at[k]);
}

template <int count, typename T>
__device__ inline void store(T *to, const float *from) {
  Pack<T, count> pack;
#pragma unroll
  for (int k = 0; k < count; k++) pack.at[k] = from_float<T>(from[k]);
  *reinterpret_cast<Pack<T, count> *>(to) = pack;
}

// Numbers of src/ops/activation.ts.
enum Activation { kNone = 0, kRelu = 1, kRelu6 = 2, kHardSwish = 3 };

// x · min(max(x + 3, 0), 6) / 6.
__device__ inline float hard_swish(float x) {
  const float gate = x + 3.f;
  return x * (gate < 0.f ? 0.f : gate > 6.f ? 6.f : gate) * (1.f / 6.f);
}

// What is not a number stays so, so that a bad step can be seen in its loss.
__device__ inline float activate(float value, int activation) {
  if (activation == kNone) return value;
  if (activation == kHardSwish) return hard_swish(value);
  const float positive = value < 0.f ? 0.f : value;
  return activation == kRelu6 && positive > 6.f ? 6.f : positive;
}

// Whether the gradient passes, from the activation's own output.
__device__ inline bool passes(float y, int activation) {
  return activation == kNone || (y > 0.f && (activation == kRelu || y < 6.f));
}

__device__ inline bool is_finite(float value) { return fabsf(value) <= 3.402823466e38f; }

__device__ inline float infinity() { return __uint_as_float(0x7f800000u); }

// Index of this thread, and number of threads, in a one-dimensional grid.
__device__ inline Index grid_thread() {
  return static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ inline Index grid_size() { return static_cast<Index>(gridDim.x) * blockDim.x; }

// Sum over a block of one dimension and at most 1024 threads, in every thread, by the same tree
// each time. `scratch` holds 32 values of the block's own shared memory.
template <typename T>
__device__ inline T block_sum(T value, T *scratch) {
  for (int step = 16; step > 0; step /= 2) value += __shfl_down_sync(0xffffffffu, value, step);
  const int warp = threadIdx.x / 32, warps = (blockDim.x + 31) / 32;
  __syncthreads();  // the scratch may still be read from the call before
  if (threadIdx.x % 32 == 0) scratch[warp] = value;
  __syncthreads();
  T sum = 0;
  for (int i = 0; i < warps; i++) sum += scratch[i];
  return sum;
}

// Copies 16 bytes from global to shared memory, both aligned; awaited by wait_for_copies() and a
// barrier. From sm_80 on it needs no register on the way, so that a block has all of its tile in
// flight.
__device__ inline void copy_16_bytes(void *to_shared, const void *from_global) {
#ifdef SIAMBAN_EMULATED_DEVICE
  emulated_copy_16_bytes(to_shared, from_global);  // it has no assembler
#elif defined(SIAMBAN_ASYNC_COPIES)
  const unsigned to = static_cast<unsigned>(__cvta_generic_to_shared(to_shared));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from_global) : "memory");
#else
  *static_cast<Pack<float, 4> *>(to_shared) = *static_cast<const Pack<float, 4> *>(from_global);
#endif
}

__device__ inline void wait_for_copies() {
#ifdef SIAMBAN_EMULATED_DEVICE
  emulated_wait_for_copies();
#elif defined(SIAMBAN_ASYNC_COPIES)
  asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}

}  // namespace siamban
