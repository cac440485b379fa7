// What a .cu file finds on the emulated device: the words and built-ins of CUDA C++ that NVRTC knows
// without headers, for the host's compiler. It stands before the source of every kernel object.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "abi.hpp"

#define __global__
#define __device__
#define __host__
#define __constant__
#define __shared__ thread_local
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __align__(n) __attribute__((aligned(n)))
#define __launch_bounds__(...)
#define __grid_constant__

register emulated::ThreadContext *emulated_self asm("r15");

#define threadIdx (emulated_self->thread)
#define blockIdx (emulated_self->block->block)
#define blockDim (emulated_self->block->block_size)
#define gridDim (emulated_self->block->grid_size)
constexpr int warpSize = 32;

#include "vectors.hpp"
#include "math.hpp"
#include "atomics.hpp"
#include "warp.hpp"
#include "kernel_table.hpp"
#include "checks.hpp"
#include "copies.hpp"
