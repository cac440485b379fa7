// Convolution of images with few channels, such as the first of a network: y[i, j, o] = activation(bias[o] +
// Σ_u Σ_vc x[i s + u − p, j s + v − p, c] w[o, u, v, c] + residual[i, j, o]).
//
// A pixel of y sees, in each row of x that the filter covers, kw · C floats that lie one behind the
// other, and its neighbour sees those s · C floats on: a product of matrices whose left one overlaps
// itself (product_block.hpp). Where a filter hangs over the left or right edge, its run is cut and the
// pixel is a row by itself; rows above and below the image are left out. So nothing is padded or
// copied. Threads share the rows of y.

#include "few_channels.hpp"

#include <algorithm>

#include "filter_blocks.hpp"
#include "team.hpp"

namespace siamban {

namespace {

constexpr int64_t kMostChannels = 4;
// Wider filters keep oneDNN's vectors full as well.
constexpr int64_t kMostFilters = kLanes;

class FewChannels : public OwnConvolution {
 public:
  explicit FewChannels(const ConvShape &shape)
      : s_(shape), filters_(s_.out_channels, s_.kernel_height, s_.kernel_width * s_.channels) {}

  std::string layout() const override {
    return "blocks " + std::to_string(s_.kernel_height) + " " + std::to_string(s_.kernel_width * s_.channels) +
           " " + std::to_string(s_.out_channels);
  }
  int64_t packed_floats() const override { return filters_.floats(); }
  void pack(const float *filter, float *packed) const override { filters_.pack(filter, packed); }
  bool shares() const override { return true; }

  void run(const ConvOperands &operands) const override {
    const int64_t rows = s_.batch * s_.out_height, parts = std::min(rows, team_size());
    const int64_t products = rows * s_.out_width * s_.out_channels * s_.channels;
    share(parts, products > kSharedProducts, [&](int64_t part) {
      for (int64_t row = rows * part / parts; row < rows * (part + 1) / parts; row++) {
        for (int64_t i = 0; i < filters_.count(); i++) convolve_row(operands, row, i);
      }
    });
  }

 private:
  ConvShape s_;
  FilterBlocks filters_;

  void convolve_row(const ConvOperands &operands, int64_t row, int64_t index) const {
    const int64_t b = row / s_.out_height, top = row % s_.out_height * s_.stride - s_.padding;
    const int64_t first = std::max<int64_t>(0, -top), last = std::min(s_.kernel_height, s_.height - top);
    ProductBlock block = filters_.block(index, operands.filter, operands.bias, s_.activation);
    const int64_t at = row * s_.out_width * s_.out_channels + filters_.first_vector(index) * kLanes;
    block.a_row = s_.stride * s_.channels;
    block.a_run = s_.width * s_.channels;
    block.b += first * block.b_run;
    block.runs = std::max<int64_t>(0, last - first);
    const float *image = operands.input + (b * s_.height + top + first) * block.a_run;
    const int64_t width = block.b_run / block.depth;
    for (int64_t j = 0; j < s_.out_width;) {
      const int64_t left = j * s_.stride - s_.padding, right = left + s_.kernel_width;
      const bool inside = left >= 0 && right <= s_.width;
      // As many pixels as have their filters wholly within the image.
      const int64_t count = inside ? std::min((s_.width - right) / s_.stride + 1, s_.out_width - j) : 1;
      const int64_t from = std::max<int64_t>(left, 0), to = std::min(right, s_.width);
      ProductBlock part = block;
      part.depth = std::max<int64_t>(0, to - from) * s_.channels;
      part.a = image + from * s_.channels;
      part.b += (from - left) * s_.channels * width;
      part.y = operands.output + at + j * s_.out_channels;
      part.residual = operands.residual ? operands.residual + at + j * s_.out_channels : nullptr;
      multiply_products(count, filters_.vectors(index), part);
      j += count;
    }
  }
};

}  // namespace

std::unique_ptr<OwnConvolution> make_few_channels(const ConvShape &s) {
  if (!s.small || s.direction != kForward || s.channels > kMostChannels || s.out_channels > kMostFilters || s.dilation != 1 || s.groups != 1) {
    return nullptr;
  }
  return std::make_unique<FewChannels>(s);
}

}  // namespace siamban
