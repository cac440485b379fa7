#pragma once

#include "own_convolution.hpp"

namespace siamban {

// A 1 x 1 convolution too small for matrix tiles, or its gradient by x; or none.
std::unique_ptr<OwnConvolution> make_pointwise(const ConvShape &shape);

}  // namespace siamban
