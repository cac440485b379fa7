// The filter's gradient of a small 1 x 1 convolution, w'[o, c] = Σ_p y'[p, o] x[p, c], over the pixels p of all images.
//
// A task has two vectors of inputs c and some blocks of outputs o. Pixels are taken in runs whose vectors of x
// stay in the first cache while block after block of outputs passes by; the sums of a block stay in
// registers over a run and are added to memory behind it. Both factors are read where they lie: packing
// them (product_weight_gradient.cpp) pays for wider filters only. A last vector of inputs is read and written
// in part.

#include "pointwise_weight_gradient.hpp"

#include <algorithm>

#include "gemm_block.hpp"
#include "team.hpp"

namespace siamban {

namespace {

// Pixels of a run: two vectors of each are 24 KB with AVX-512.
constexpr int64_t kRun = 192;
// Blocks of outputs of a task at most, and tasks a thread where there are enough, so that no thread waits for long.
constexpr int64_t kMostBlocks = 4, kTasks = 3;
// Multiplications above which packing pays.
constexpr int64_t kMostProducts = 128 << 20;

int64_t blocks(int64_t count, int64_t size) { return (count + size - 1) / size; }

// Some outputs of y' and two vectors of inputs of x over a run of pixels.
struct OuterBlock {
  const float *dy, *x;
  float *dw;
  int64_t pixels, outputs, inputs;  // of the run, and of the whole filter
  int64_t lanes;                    // inputs of the block
  bool add;                         // to what `dw` holds
};

template <int64_t vectors, bool whole>
inline Vector load_inputs(const float *from, int64_t v, int64_t lanes) {
  if (whole || v + 1 < vectors) return load(from + v * kLanes);
  return load_part(from + v * kLanes, lanes - v * kLanes);
}

// Not inlined: among a caller's other values the sums would not all stay in registers.
template <int64_t rows, int64_t vectors, bool whole>
[[gnu::noinline]] void sum_outer_block(const OuterBlock &block) {
  Vector sums[rows][vectors] = {};
  const float *dy = block.dy, *x = block.x;
  const int64_t lanes = block.lanes, outputs = block.outputs, inputs = block.inputs;
  for (int64_t p = 0; p < block.pixels; p++, dy += outputs, x += inputs) {
    Vector values[vectors];
#pragma GCC unroll 2
    for (int64_t v = 0; v < vectors; v++) values[v] = load_inputs<vectors, whole>(x, v, lanes);
#pragma GCC unroll 16
    for (int64_t r = 0; r < rows; r++) {
      // Minus zero, because plus zero is no plain copy: it turns -0 into 0.
      const Vector factor = dy[r] - Vector{};
#pragma GCC unroll 2
      for (int64_t v = 0; v < vectors; v++) add_product(sums[r][v], factor, values[v]);
    }
  }
#pragma GCC unroll 16
  for (int64_t r = 0; r < rows; r++) {
    float *to = block.dw + r * inputs;
#pragma GCC unroll 2
    for (int64_t v = 0; v < vectors; v++) {
      Vector sum = sums[r][v];
      if (block.add) sum += load_inputs<vectors, whole>(to, v, lanes);
      if (whole || v + 1 < vectors) {
        store(to + v * kLanes, sum);
      } else {
        store_part(to + v * kLanes, sum, lanes - v * kLanes);
      }
    }
  }
}

// Any number of rows up to kBlockRows.
template <int64_t vectors, bool whole, int64_t rows = kBlockRows>
void sum_outer_rows(int64_t count, const OuterBlock &block) {
  if constexpr (rows > 1) {
    if (count < rows) return sum_outer_rows<vectors, whole, rows - 1>(count, block);
  }
  sum_outer_block<rows, vectors, whole>(block);
}

void sum_outer(int64_t rows, const OuterBlock &block) {
  if (block.lanes == kBlockColumns) return sum_outer_rows<2, true>(rows, block);
  if (block.lanes > kLanes) return sum_outer_rows<2, false>(rows, block);
  if (block.lanes == kLanes) return sum_outer_rows<1, true>(rows, block);
  sum_outer_rows<1, false>(rows, block);
}

class PointwiseWeightGradient : public OwnConvolution {
 public:
  explicit PointwiseWeightGradient(const ConvShape &s)
      : pixels_(s.batch * s.height * s.width), inputs_(s.channels), outputs_(s.out_channels),
        panels_(blocks(inputs_, kBlockColumns)), blocks_(blocks(outputs_, kBlockRows)) {}

  std::string layout() const override { return "plain"; }
  bool shares() const override { return true; }

  void run(const ConvOperands &operands) const override {
    const bool worth = pixels_ * inputs_ * outputs_ > kSharedProducts;
    const int64_t wanted = kTasks * (worth ? team_size() : 1);
    const int64_t height = std::clamp<int64_t>(panels_ * blocks_ / wanted, 1, kMostBlocks);
    const int64_t groups = blocks(blocks_, height);
    share(panels_ * groups, worth, [&](int64_t task) {
      const int64_t panel = task / groups, group = task % groups;
      sum(operands, panel, blocks_ * group / groups, blocks_ * (group + 1) / groups);
    });
  }

 private:
  int64_t pixels_, inputs_, outputs_, panels_, blocks_;

  // A panel of inputs by blocks [first, last) of outputs, which are of nearly equal height.
  void sum(const ConvOperands &operands, int64_t panel, int64_t first, int64_t last) const {
    const int64_t input = panel * kBlockColumns;
    for (int64_t p = 0; p < pixels_; p += kRun) {
      for (int64_t i = first; i < last; i++) {
        const int64_t output = outputs_ * i / blocks_;
        OuterBlock block = {};
        block.dy = operands.filter + p * outputs_ + output;
        block.x = operands.input + p * inputs_ + input;
        block.dw = operands.output + output * inputs_ + input;
        block.pixels = std::min(kRun, pixels_ - p);
        block.outputs = outputs_, block.inputs = inputs_;
        block.lanes = std::min(kBlockColumns, inputs_ - input);
        block.add = p > 0;
        sum_outer(outputs_ * (i + 1) / blocks_ - output, block);
      }
    }
  }
};

}  // namespace

std::unique_ptr<OwnConvolution> make_pointwise_weight_gradient(const ConvShape &s) {
  const int64_t products = s.batch * s.height * s.width * s.channels * s.out_channels;
  if (!s.small || s.kernel_height * s.kernel_width != 1 || s.stride != 1 || s.padding != 0 || s.groups != 1 ||
      products > kMostProducts) {
    return nullptr;
  }
  return std::make_unique<PointwiseWeightGradient>(s);
}

}  // namespace siamban
