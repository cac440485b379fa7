// See depthwise_weight_gradient.cpp.
#pragma once

#include "own_convolution.hpp"

namespace siamban {

std::unique_ptr<OwnConvolution> make_depthwise_weight_gradient(const ConvShape &shape);

}  // namespace siamban
