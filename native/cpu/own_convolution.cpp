// Which of our own ways computes a convolution: the rule by shape and processor.

#include "own_convolution.hpp"

#include "amx_forward.hpp"
#include "winograd.hpp"

namespace siamban {

std::unique_ptr<OwnConvolution> make_own_convolution(const ConvShape &shape) {
  if (shape.direction == kBackwardWeight) {
    auto tiles = make_amx_weight_gradient(shape);
    return tiles ? std::move(tiles) : make_winograd_weight_gradient(shape);
  }
  auto tiles = make_amx_forward(shape);
  return tiles ? std::move(tiles) : make_winograd(shape);
}

}  // namespace siamban
