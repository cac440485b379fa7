// What oneDNN prepares for one convolution: a plan for each shape, and the layouts that plans want
// their filters in. Made by conv_plans.cpp, run by conv2d.cpp.
#pragma once

#include <cstdint>
#include <dnnl.hpp>

namespace siamban {

struct Plan {
  dnnl::primitive primitive;
  dnnl::memory::desc source, target, weight, bias;
  int64_t layout;
  bool turned;  // a gradient by x that runs as a forward pass, see make_turned
};

struct Layout {
  dnnl::memory::desc plain, packed;
  bool turned;  // taps in reverse order
  int64_t filters, taps, channels;
  dnnl::reorder pack, unpack;
};

// Of the calling thread; plans are never removed, so their numbers stay good.
Plan &plan_at(int64_t index);
Layout &layout_at(int64_t index);
dnnl::engine &engine();
dnnl::stream &stream();

}  // namespace siamban
