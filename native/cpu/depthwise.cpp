// Depthwise convolution, y[b, i, j, c] = activation(bias[c] + Σ_uv x[b, i s + u − p, j s + v − p, c] w[c, u, v]), by the
// kernel of depthwise_rows.hpp. Filters are packed from [c][u][v] to [u][v][c], so that taps are
// loaded like pixels.
//
// The gradient by x of one with stride 1 is the same sum over dy, with the filter turned by 180 degrees and a padding
// of kernel − 1 − p. The packed filter is read from its end, so that one copy serves both.
//
// A task is one vector of channels of a band of rows. What it reads, one cache line a pixel, stays in the
// first cache; bands are walked from top to bottom with all channels each, so that memory is read
// from one end to the other.

#include "depthwise.hpp"

#include <algorithm>
#include <utility>

#include "depthwise_rows.hpp"
#include "team.hpp"
#include "vector.hpp"

namespace siamban {

namespace {

// Bytes of a task's pixels: half of a first cache.
constexpr int64_t kTaskBytes = 24 << 10;

class Depthwise : public OwnConvolution {
 public:
  Depthwise(const ConvShape &shape, DepthwiseKernel kernel, bool turned)
      : s_(shape), kernel_(kernel), turned_(turned) {}

  std::string layout() const override {
    return "taps " + std::to_string(s_.kernel_height * s_.kernel_width) + " " + std::to_string(s_.channels);
  }
  int64_t packed_floats() const override { return s_.channels * s_.kernel_height * s_.kernel_width; }
  bool shares() const override { return true; }

  void pack(const float *filter, float *packed) const override {
    const int64_t taps = s_.kernel_height * s_.kernel_width;
    for (int64_t t = 0; t < taps; t++) {
      for (int64_t c = 0; c < s_.channels; c++) packed[t * s_.channels + c] = filter[c * taps + t];
    }
  }

  void run(const ConvOperands &operands) const override {
    const int64_t slices = (s_.channels + kLanes - 1) / kLanes;
    const int64_t tap = turned_ ? -s_.channels : s_.channels;
    const float *first_tap = operands.filter + (turned_ ? packed_floats() - s_.channels : 0);
    const int64_t products = packed_floats() * s_.batch * s_.out_height * s_.out_width;
    const bool worth = products > kSharedProducts;
    const int64_t band_rows = std::max<int64_t>(1, kTaskBytes / (kLanes * 4 * s_.width * s_.stride));
    const int64_t bands = std::min(
        s_.out_height, std::max(worth ? team_size() : 1, (s_.out_height + band_rows - 1) / band_rows));
    share(s_.batch * slices * bands, worth, [&](int64_t task) {
      const int64_t channel = task % slices * kLanes, band = task / slices % bands, b = task / slices / bands;
      DepthwiseBand d = {};
      d.x = operands.input + b * s_.height * s_.width * s_.channels + channel;
      d.w = first_tap + channel;
      d.tap = tap;
      d.bias = operands.bias ? operands.bias + channel : nullptr;
      d.y = operands.output + b * s_.out_height * s_.out_width * s_.channels + channel;
      d.height = s_.height, d.width = s_.width, d.channels = s_.channels, d.out_width = s_.out_width;
      d.padding = s_.padding, d.activation = s_.activation;
      d.first_row = s_.out_height * band / bands, d.last_row = s_.out_height * (band + 1) / bands;
      d.lanes = s_.channels - channel;
      kernel_(d);
    });
  }

 private:
  ConvShape s_;
  DepthwiseKernel kernel_;
  bool turned_;
};

// The convolution of dy that gives the gradient by x.
ConvShape turned_shape(const ConvShape &s) {
  ConvShape turned = s;
  std::swap(turned.height, turned.out_height);
  std::swap(turned.width, turned.out_width);
  turned.padding = s.kernel_width - 1 - s.padding;
  return turned;
}

}  // namespace

std::unique_ptr<OwnConvolution> make_depthwise(const ConvShape &s) {
  const bool turned = s.direction == kBackwardInput;
  if (!s.small || s.direction == kBackwardWeight || s.groups != s.channels || s.out_channels != s.channels ||
      s.dilation != 1 || s.residual || (turned && (s.stride != 1 || s.kernel_width < 5 || s.padding >= s.kernel_width))) {
    return nullptr;
  }
  const DepthwiseKernel kernel = depthwise_kernel(s.kernel_height, s.kernel_width, s.stride);
  return kernel ? std::make_unique<Depthwise>(turned ? turned_shape(s) : s, kernel, turned) : nullptr;
}

}  // namespace siamban
