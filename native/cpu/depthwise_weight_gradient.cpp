// The filter's gradient of a depthwise convolution, w'[c, u, v] = Σ_bij y'[b, i, j, c] x[b, i s + u − p, j s + v − p, c].
//
// A task is one vector of channels of one row u of the filter, whose sums stay in registers while a row of outputs
// passes by, eight at a time: each value of x is loaded once for all taps that meet it, as in
// depthwise_rows.hpp. Even and odd outputs have sums of their own, because a sum takes a product every fourth
// clock only. Sums of a row are added up by image and those of images at last, so that roundings grow with rows
// and not with pixels. Beyond the edges of the image nothing is read.

#include "depthwise_weight_gradient.hpp"

#include <algorithm>

#include "gemm_block.hpp"
#include "team.hpp"

namespace siamban {

namespace {

constexpr int64_t kStrip = 8;

// One row of outputs and the row of x that a row of the filter meets it at, from the task's first channel on.
struct RowPair {
  const float *dy, *x;
  int64_t width, out_width, channels, padding;
  int64_t lanes;  // channels of the vector
};

template <bool whole>
inline Vector load_lanes(const float *from, int64_t lanes) {
  return whole ? load(from) : load_part(from, lanes);
}

// Outputs j to j + count − 1. `inside`: there are eight, and no tap of them lies left or right of the image.
template <int64_t kernel, int64_t stride, bool whole, bool inside>
inline void add_strip(const RowPair &r, int64_t j, int64_t count, Vector (&sums)[2][kernel]) {
  constexpr int64_t columns = (kStrip - 1) * stride + kernel;
  const int64_t left = j * stride - r.padding;
  Vector dy[kStrip];
#pragma GCC unroll 8
  for (int64_t k = 0; k < kStrip; k++) {
    dy[k] = inside || k < count ? load_lanes<whole>(r.dy + (j + k) * r.channels, r.lanes) : Vector{};
  }
#pragma GCC unroll 24
  for (int64_t m = 0; m < columns; m++) {
    if (!inside && (left + m < 0 || left + m >= r.width)) continue;
    const Vector value = load_lanes<whole>(r.x + (left + m) * r.channels, r.lanes);
#pragma GCC unroll 8
    for (int64_t k = 0; k < kStrip; k++) {
      const int64_t v = m - k * stride;
      if (v >= 0 && v < kernel) add_product(sums[k % 2][v], value, dy[k]);
    }
  }
}

template <int64_t kernel, int64_t stride, bool whole>
void add_row(const RowPair &r, Vector (&image)[kernel]) {
  constexpr int64_t columns = (kStrip - 1) * stride + kernel;
  Vector sums[2][kernel] = {};
  for (int64_t j = 0; j < r.out_width; j += kStrip) {
    const int64_t left = j * stride - r.padding, count = std::min(kStrip, r.out_width - j);
    if (count == kStrip && left >= 0 && left + columns <= r.width) {
      add_strip<kernel, stride, whole, true>(r, j, count, sums);
    } else {
      add_strip<kernel, stride, whole, false>(r, j, count, sums);
    }
  }
#pragma GCC unroll 8
  for (int64_t v = 0; v < kernel; v++) image[v] += sums[0][v] + sums[1][v];
}

// Row u of the filters of one vector of channels.
template <int64_t kernel, int64_t stride, bool whole>
void sum_taps(const ConvShape &s, const ConvOperands &operands, int64_t channel, int64_t u) {
  Vector total[kernel] = {};
  RowPair r = {};
  r.width = s.width, r.out_width = s.out_width, r.channels = s.channels, r.padding = s.padding;
  r.lanes = std::min(kLanes, s.channels - channel);
  for (int64_t b = 0; b < s.batch; b++) {
    Vector image[kernel] = {};
    for (int64_t i = 0; i < s.out_height; i++) {
      const int64_t y = i * stride + u - s.padding;
      if (y < 0 || y >= s.height) continue;
      r.x = operands.input + (b * s.height + y) * s.width * s.channels + channel;
      r.dy = operands.filter + (b * s.out_height + i) * s.out_width * s.channels + channel;
      add_row<kernel, stride, whole>(r, image);
    }
    for (int64_t v = 0; v < kernel; v++) total[v] += image[v];
  }
  float *to = operands.output + channel * kernel * kernel + u * kernel;
  for (int64_t c = 0; c < r.lanes; c++) {
    for (int64_t v = 0; v < kernel; v++) to[c * kernel * kernel + v] = total[v][c];
  }
}

using TapSums = void (*)(const ConvShape &, const ConvOperands &, int64_t channel, int64_t u);

template <int64_t kernel, int64_t stride>
void sum_taps_of(const ConvShape &s, const ConvOperands &operands, int64_t channel, int64_t u) {
  channel + kLanes <= s.channels ? sum_taps<kernel, stride, true>(s, operands, channel, u)
                                 : sum_taps<kernel, stride, false>(s, operands, channel, u);
}

// For filters of 5 x 5 with stride 1 or 2, of which oneDNN has no fast gradient; NULL for others.
TapSums tap_sums(const ConvShape &s) {
  if (s.kernel_height != 5 || s.kernel_width != 5) return nullptr;
  return s.stride == 1 ? sum_taps_of<5, 1> : s.stride == 2 ? sum_taps_of<5, 2> : nullptr;
}

class DepthwiseWeightGradient : public OwnConvolution {
 public:
  DepthwiseWeightGradient(const ConvShape &s, TapSums sums) : s_(s), sums_(sums) {}

  std::string layout() const override { return "plain"; }
  bool shares() const override { return true; }

  void run(const ConvOperands &operands) const override {
    const int64_t slices = (s_.channels + kLanes - 1) / kLanes, rows = s_.kernel_height;
    const int64_t products = s_.batch * s_.out_height * s_.out_width * s_.channels * rows * s_.kernel_width;
    share(slices * rows, products > kSharedProducts,
          [&](int64_t task) { sums_(s_, operands, task / rows * kLanes, task % rows); });
  }

 private:
  ConvShape s_;
  TapSums sums_;
};

}  // namespace

std::unique_ptr<OwnConvolution> make_depthwise_weight_gradient(const ConvShape &s) {
  if (!s.small || s.groups != s.channels || s.out_channels != s.channels || s.dilation != 1) return nullptr;
  const TapSums sums = tap_sums(s);
  return sums ? std::make_unique<DepthwiseWeightGradient>(s, sums) : nullptr;
}

}  // namespace siamban
