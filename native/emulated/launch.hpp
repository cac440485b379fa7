// A kernel launch: its limits are checked when it is asked for, the rest when it runs.
#pragma once

#include <memory>
#include <vector>

#include "module.hpp"

namespace emulated {

struct Launch {
  Function *function;
  Index3 grid, block;
  size_t dynamic_bytes;
  std::vector<unsigned char> values;  // of all parameters
  std::vector<void *> parameters;     // into `values`
};

// Copies the parameters' values. Throws Failure for sizes that no card takes.
std::shared_ptr<Launch> make_launch(Function *function, Index3 grid, Index3 block,
                                    size_t dynamic_bytes, void **parameters, void **extra);
// Runs all blocks. Throws Failure, which says kernel, block, thread and address.
void run_launch(const Launch &launch);

// Limits of the emulated card, those of compute capability 9.0.
constexpr unsigned kMostGridX = 2147483647, kMostGridYZ = 65535;
constexpr unsigned kMostBlockXY = 1024, kMostBlockZ = 64;
constexpr size_t kMostPlainShared = 48 << 10;

}  // namespace emulated
