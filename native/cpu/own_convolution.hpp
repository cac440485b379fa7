// A convolution that this library computes itself, instead of oneDNN, where that is faster.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "conv_shape.hpp"

namespace siamban {

// What a pass reads and writes; absent ones are NULL.
struct ConvOperands {
  const float *input;     // x; dy in the gradient by x
  const float *filter;    // packed; dy in the gradient by the filter
  const float *scale;     // of each output, in front of the bias; only where the convolution `scales`
  const float *bias, *residual;
  float *output;          // y, dx, or the filter's gradient as OHWI
};

class OwnConvolution {
 public:
  virtual ~OwnConvolution() = default;
  // Convolutions of one layout can share a packed filter.
  virtual std::string layout() const = 0;
  // Of a packed filter, 0 where none is wanted.
  virtual int64_t packed_floats() const { return 0; }
  virtual void pack(const float *filter, float *packed) const { (void)filter, (void)packed; }
  // Whether it multiplies each output by a factor of its own, so that a norm need not be folded into the filter.
  virtual bool scales() const { return false; }
  // Whether `run` may be called by all threads of a region, see team.hpp.
  virtual bool shares() const { return false; }
  virtual void run(const ConvOperands &operands) const = 0;
};

// The fastest own way, or none where oneDNN is to be used.
std::unique_ptr<OwnConvolution> make_own_convolution(const ConvShape &shape);

}  // namespace siamban
