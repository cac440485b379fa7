// What is prepared for one convolution: a plan for each shape, and the layouts that plans want their
// filters in; by oneDNN, or by a way of our own. Made by conv_plans.cpp, run by conv2d.cpp.
#pragma once

#include <cstdint>
#include <dnnl.hpp>
#include <memory>
#include <string>

#include "own_convolution.hpp"

namespace siamban {

struct Plan {
  dnnl::primitive primitive;
  dnnl::memory::desc source, target, weight, bias;
  int64_t layout;
  bool turned;  // a gradient by x that runs as a forward pass, see make_turned
  std::shared_ptr<OwnConvolution> own;  // instead of the primitive
};

struct Layout {
  dnnl::memory::desc plain, packed;
  bool turned;  // taps in reverse order
  int64_t filters, taps, channels;
  dnnl::reorder pack, unpack;
  std::shared_ptr<OwnConvolution> own;  // packs instead of the reorder
  std::string name;
};

// Plans are never removed, so their addresses stay good. The rest is the calling thread's.
Plan &plan_at(int64_t address);
Layout &layout_at(int64_t index);
dnnl::engine &engine();
dnnl::stream &stream();

}  // namespace siamban
