// One pass of a convolution: which tensors it reads and writes, and what runs when its turn comes.
#pragma once

#include <vector>

#include "cudnn.hpp"

namespace emulated {

enum class Kind { kForward, kBackwardData, kBackwardFilter };

// Descriptors as they were when the call was made.
struct Pass {
  Kind kind;
  TensorDescriptor x, y;
  FilterDescriptor w;
  ConvolutionDescriptor convolution;
  ConvolutionShape shape;
};

// Device addresses in the order of cuDNN's calls: two inputs, the output, the workspace.
struct Operands {
  uint64_t first, second, output, workspace;
  size_t workspace_bytes;
  float alpha, beta;
};

// Takes the descriptors in the order of cuDNN's calls. Throws Failure with kBadParam.
Pass make_pass(Kind kind, const void *first, const void *second, const void *convolution,
               const void *output);
// Whether products of float32 go through TF32: cuDNN does so unless it is told not to.
bool uses_tensor_cores(const Pass &pass);
void queue_pass(Stream &stream, const Pass &pass, const Operands &operands);

std::vector<int> algorithms_of(Kind kind);
bool is_deterministic(Kind kind, int algorithm);
bool supports(const Pass &pass, int algorithm);
size_t workspace_bytes(const Pass &pass, int algorithm);
// Throws Failure with kBadParam or kNotSupportedStatus.
void require_algorithm(const Pass &pass, int algorithm);
void require_workspace(const Pass &pass, int algorithm, const Operands &operands);

}  // namespace emulated
