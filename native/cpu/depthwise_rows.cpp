// The kernel of depthwise convolution and correlation: y[i, j, c] = activation(bias[c] + Σ_uv x[i s + u − p, j s + v − p, c] w[u, v, c])
// for one vector of channels and a band of rows of y; maps are HWC, filters [u][v][c].
//
// Eight neighbouring outputs of a row are summed in registers together with one row of the filter's
// taps. A value of x is loaded once for all of the row's taps that meet it, so that a product needs
// less than half a load. Beyond the edges of the image nothing is read or multiplied, so no image
// is padded.

#include "depthwise_rows.hpp"

#include <algorithm>

#include "finish.hpp"
#include "gemm_block.hpp"

namespace siamban {

namespace {

constexpr int64_t kStrip = 8;

template <bool whole>
inline Vector load_channels(const float *from, int64_t lanes) {
  return whole ? load(from) : load_part(from, lanes);
}

// Outputs (i, j) to (i, j + 7). `inside`: no tap of them lies left or right of the image.
template <int64_t kernel, int64_t stride, bool whole, bool inside>
void sum_strip(const DepthwiseBand &d, int64_t i, int64_t j, Vector bias) {
  constexpr int64_t columns = (kStrip - 1) * stride + kernel;
  const int64_t top = i * stride - d.padding, left = j * stride - d.padding;
  Vector sums[kStrip];
#pragma GCC unroll 8
  for (int64_t k = 0; k < kStrip; k++) sums[k] = bias;
  const int64_t last = std::min(kernel, d.height - top);
  for (int64_t u = std::max<int64_t>(0, -top); u < last; u++) {
    const float *row = d.x + ((top + u) * d.width + left) * d.channels;
    Vector taps[kernel];
#pragma GCC unroll 8
    for (int64_t v = 0; v < kernel; v++) {
      taps[v] = load_channels<whole>(d.w + (u * kernel + v) * d.tap, d.lanes);
    }
#pragma GCC unroll 24
    for (int64_t m = 0; m < columns; m++) {
      if (!inside && (left + m < 0 || left + m >= d.width)) continue;
      const Vector value = load_channels<whole>(row + m * d.channels, d.lanes);
#pragma GCC unroll 8
      for (int64_t k = 0; k < kStrip; k++) {
        const int64_t v = m - k * stride;
        if (v >= 0 && v < kernel) add_product(sums[k], value, taps[v]);
      }
    }
  }
  float *to = d.y + (i * d.out_width + j) * d.channels;
  const int64_t count = std::min(kStrip, d.out_width - j);
#pragma GCC unroll 8
  for (int64_t k = 0; k < kStrip; k++) {
    if (k < count) finish(sums[k], to + k * d.channels, nullptr, d.activation, whole ? kLanes : d.lanes);
  }
}

template <int64_t kernel, int64_t stride, bool whole>
void sum_rows(const DepthwiseBand &d) {
  constexpr int64_t columns = (kStrip - 1) * stride + kernel;
  const Vector bias = d.bias ? load_channels<whole>(d.bias, d.lanes) : Vector{};
  for (int64_t i = d.first_row; i < d.last_row; i++) {
    for (int64_t j = 0; j < d.out_width; j += kStrip) {
      const int64_t left = j * stride - d.padding;
      if (left >= 0 && left + columns <= d.width) {
        sum_strip<kernel, stride, whole, true>(d, i, j, bias);
      } else {
        sum_strip<kernel, stride, whole, false>(d, i, j, bias);
      }
    }
  }
}

template <int64_t kernel, int64_t stride>
void sum_band(const DepthwiseBand &d) {
  d.lanes >= kLanes ? sum_rows<kernel, stride, true>(d) : sum_rows<kernel, stride, false>(d);
}

}  // namespace

DepthwiseKernel depthwise_kernel(int64_t height, int64_t width, int64_t stride) {
  if (height != width || stride < 1 || stride > 2) return nullptr;
  const bool wide = stride == 2;
  switch (width) {
    case 2: return wide ? sum_band<2, 2> : sum_band<2, 1>;
    case 3: return wide ? sum_band<3, 2> : sum_band<3, 1>;
    case 4: return wide ? sum_band<4, 2> : sum_band<4, 1>;
    case 5: return wide ? sum_band<5, 2> : sum_band<5, 1>;
    default: return nullptr;
  }
}

}  // namespace siamban
