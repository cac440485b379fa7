// Which of our own ways computes a convolution: the rule by shape and processor.

#include "own_convolution.hpp"

#include "amx_forward.hpp"
#include "amx_pointwise.hpp"
#include "depthwise.hpp"
#include "depthwise_weight_gradient.hpp"
#include "few_channels.hpp"
#include "pointwise.hpp"
#include "pointwise_weight_gradient.hpp"
#include "product_weight_gradient.hpp"
#include "winograd.hpp"

namespace siamban {

std::unique_ptr<OwnConvolution> make_own_convolution(const ConvShape &shape) {
  if (shape.direction == kBackwardWeight) {
    for (auto make : {make_depthwise_weight_gradient, make_amx_weight_gradient, make_winograd_weight_gradient,
                      make_product_weight_gradient, make_pointwise_weight_gradient}) {
      if (auto own = make(shape)) return own;
    }
    return nullptr;
  }
  for (auto make : {make_depthwise, make_few_channels, make_pointwise, make_amx_pointwise, make_amx_forward,
                    make_winograd}) {
    if (auto own = make(shape)) return own;
  }
  return nullptr;
}

}  // namespace siamban
