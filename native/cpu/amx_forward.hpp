// See amx_forward.cpp.
#pragma once

#include "own_convolution.hpp"

namespace siamban {

// A forward pass, or a gradient by x seen as one; none where tiles would be mostly empty.
std::unique_ptr<OwnConvolution> make_amx_forward(const ConvShape &shape);
// The gradient by the filter.
std::unique_ptr<OwnConvolution> make_amx_weight_gradient(const ConvShape &shape);

}  // namespace siamban
