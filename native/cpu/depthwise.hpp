#pragma once

#include "own_convolution.hpp"

namespace siamban {

// A convolution with one filter a channel, or its gradient by x; none where the shape is unusual.
std::unique_ptr<OwnConvolution> make_depthwise(const ConvShape &shape);

}  // namespace siamban
