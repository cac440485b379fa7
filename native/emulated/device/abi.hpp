// What the library and a compiled kernel know of each other. A kernel object is compiled against
// this header at run time; the library, once.
//
// Every CUDA thread has a ThreadContext. While its code runs, register r15 holds the context's
// address (kernel objects are compiled with -ffixed-r15), so that threadIdx costs one load.
#pragma once

#include <cstddef>
#include <cstdint>

namespace emulated {

struct Index3 {
  unsigned x, y, z;
};

// Why a thread waits.
enum class WarpOp : int { kShuffle, kBallot, kSync };

struct BlockContext;

struct ThreadContext {
  Index3 thread;    // threadIdx
  unsigned number;  // flat index within the block
  BlockContext *block;
  // The request of a thread that waits for its warp, and the answer.
  WarpOp op;
  int line;
  unsigned mask;
  unsigned source;  // lane to read from; for a ballot: the predicate
  uint64_t value;
  uint64_t result;
};

// What kernel code asks of the library.
struct Services {
  void (*barrier)(ThreadContext *self, int line);
  void (*warp)(ThreadContext *self);
  void (*fail)(ThreadContext *self, int code, const char *text);
  void (*access)(ThreadContext *self, uint64_t address, uint64_t bytes, bool write);
  void (*copy)(ThreadContext *self, void *to, const void *from);  // 16 bytes, done when awaited
  void (*await_copies)(ThreadContext *self);
};

struct BlockContext {
  Index3 block;       // blockIdx
  Index3 block_size;  // blockDim
  Index3 grid_size;   // gridDim
  void *dynamic_shared;
  const Services *services;
};

struct Parameter {
  unsigned bytes, alignment;
  unsigned pointee;  // bytes of what a pointer parameter points to; 0 for a value
};

// One kernel of an object.
struct Kernel {
  const char *name;
  const void *address;  // of the function, whose symbol is the name that modules know it by
  void (*call)(void **parameters);
  const Parameter *parameters;
  int count;
  int most_threads;  // of __launch_bounds__; 0 if there are none
};

// What an object's function `emulated_kernel_table` gives.
struct KernelTable {
  int abi;
  int count;
  const Kernel *kernels;
  char *(*shared_anchor)();  // an address in this thread's shared memory, see module.cpp
};

constexpr int kAbi = 3;

}  // namespace emulated
