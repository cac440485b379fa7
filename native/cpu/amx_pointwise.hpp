// See amx_pointwise.cpp.
#pragma once

#include "own_convolution.hpp"

namespace siamban {

// A 1 x 1 convolution with stride 1, or its gradient by x; none where tiles would be mostly empty.
std::unique_ptr<OwnConvolution> make_amx_pointwise(const ConvShape &shape);

}  // namespace siamban
