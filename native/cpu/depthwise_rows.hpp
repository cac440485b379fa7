// See depthwise_rows.cpp.
#pragma once

#include <cstdint>

namespace siamban {

struct DepthwiseBand {
  const float *x, *w, *bias;  // of the first channel; bias may be NULL
  float *y;
  int64_t height, width, channels, out_width, padding, activation;
  int64_t tap;                  // floats from one tap of `w` to the next; negative where the filter is turned
  int64_t first_row, last_row;  // of y
  int64_t lanes;                // channels of the vector
};

using DepthwiseKernel = void (*)(const DepthwiseBand &);

// For square filters of side 2 to 5, stride 1 or 2; NULL for others.
DepthwiseKernel depthwise_kernel(int64_t height, int64_t width, int64_t stride);

}  // namespace siamban
