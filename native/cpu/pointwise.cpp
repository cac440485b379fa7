// 1 x 1 convolution with stride 1: y[p, o] = activation(bias[o] + Σ_c x[p, c] w[o, c] + residual[p, o]), all pixels p of all
// images as the rows of one matrix; and its gradient by x, dx[p, c] = Σ_o dy[p, o] w[o, c], which is such a
// convolution of dy with the transposed filter.
//
// Threads share the rows. One of them takes up to 48 filters at a time, whose packed weights stay in
// the first cache while all its pixels pass by (product_block.hpp). Nothing is copied and nothing is
// prepared: for the maps of small networks, 256 pixels by 100 channels, that costs as much as the sums.

#include "pointwise.hpp"

#include "filter_blocks.hpp"
#include "team.hpp"

namespace siamban {

namespace {

// Products above which the tiles of amx_pointwise.cpp pay what they spend on splitting the image.
constexpr int64_t kMostProducts = 8 << 20;

class Pointwise : public OwnConvolution {
 public:
  explicit Pointwise(const ConvShape &s)
      : turned_(s.direction == kBackwardInput), rows_(s.batch * s.height * s.width),
        inputs_(turned_ ? s.out_channels : s.channels), outputs_(turned_ ? s.channels : s.out_channels),
        activation_(s.activation), filters_(outputs_, 1, inputs_) {}

  std::string layout() const override {
    return (turned_ ? "turned blocks " : "blocks 1 ") + std::to_string(inputs_) + " " + std::to_string(outputs_);
  }
  int64_t packed_floats() const override { return filters_.floats(); }
  void pack(const float *filter, float *packed) const override {
    turned_ ? filters_.pack_turned(filter, packed) : filters_.pack(filter, packed);
  }
  bool shares() const override { return true; }

  void run(const ConvOperands &operands) const override {
    const bool worth = rows_ > 1 && rows_ * inputs_ * outputs_ > kSharedProducts;
    const int64_t parts = worth ? team_size() : 1;
    share(parts, worth, [&](int64_t part) {
      multiply(operands, rows_ * part / parts, rows_ * (part + 1) / parts);
    });
  }

 private:
  bool turned_;
  int64_t rows_, inputs_, outputs_, activation_;
  FilterBlocks filters_;

  void multiply(const ConvOperands &operands, int64_t first, int64_t last) const {
    for (int64_t i = 0; i < filters_.count(); i++) {
      ProductBlock block = filters_.block(i, operands.filter, operands.bias, activation_);
      const int64_t at = first * outputs_ + filters_.first_vector(i) * kLanes;
      block.a = operands.input + first * inputs_;
      block.a_row = inputs_;
      block.y = operands.output + at;
      block.residual = operands.residual ? operands.residual + at : nullptr;
      multiply_products(last - first, filters_.vectors(i), block);
    }
  }
};

}  // namespace

std::unique_ptr<OwnConvolution> make_pointwise(const ConvShape &s) {
  const int64_t products = s.batch * s.height * s.width * s.channels * s.out_channels;
  if (!s.small || s.direction == kBackwardWeight || s.kernel_height * s.kernel_width != 1 || s.stride != 1 ||
      s.padding != 0 || s.groups != 1 || products > kMostProducts) {
    return nullptr;
  }
  return std::make_unique<Pointwise>(s);
}

}  // namespace siamban
