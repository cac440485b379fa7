#pragma once

#include "own_convolution.hpp"

namespace siamban {

// A convolution of a picture or the like, which has too few channels for a vector, or none.
std::unique_ptr<OwnConvolution> make_few_channels(const ConvShape &shape);

}  // namespace siamban
