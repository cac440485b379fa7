// The numbers of one convolution as the caller gives them: NHWC activations, OHWI filters.
#pragma once

#include <cstdint>

namespace siamban {

enum Direction : int64_t { kForward = 0, kBackwardInput = 1, kBackwardWeight = 2 };

struct ConvShape {
  int64_t direction;
  int64_t batch, height, width, channels;
  int64_t out_height, out_width, out_channels;
  int64_t kernel_height, kernel_width;
  int64_t stride, padding, dilation, groups;
  int64_t bias, residual, activation;
  int64_t parts;  // bfloat16 parts of a float32 where matrix tiles multiply; 0: no tiles
  int64_t winograd;  // whether results may be off by more than float32 rounds, up to 2e-5 of the largest
  int64_t small;  // whether own kernels beside tiles and Winograd's may be used: depthwise, few channels, products
};

}  // namespace siamban
