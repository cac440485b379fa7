// Fibers: a CUDA thread that waits for its block or warp keeps its own stack, and another one runs.
//
// A switch saves the six registers that a C function must keep and swaps stacks: some nanoseconds,
// where swapcontext would make a system call each time.
#pragma once

#include <cstddef>

#include "device/abi.hpp"

// Saves this stack's top in *save and goes on with the stack whose top is `load`.
extern "C" void emulated_switch(void **save, void *load);
// Calls kernel(parameters) with r15 = context.
extern "C" void emulated_call(void (*kernel)(void **), void **parameters,
                              emulated::ThreadContext *context);

namespace emulated {

constexpr size_t kStackBytes = 64 << 10;

// The top of a fresh stack that will run entry(argument), which never returns. `stack` is the
// highest address, 16-byte aligned.
void *prepare_stack(unsigned char *stack, void (*entry)(void *), void *argument);

}  // namespace emulated
