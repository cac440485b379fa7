// The filter's gradient of 1 x 1 and strided convolutions as one product of matrices:
//   w'[o, t, c] = Σ_p y'[p, o] x[p s + t d − padding, c], over the pixels p of all outputs.
//
// Pixels are taken in blocks. Both factors of a block are packed in the order in which products read them: y' as
// [48 outputs][pixels][48], x as [tap][two vectors of channels][pixels][two vectors], with zeros where a tap
// reaches beyond the image. A task has one panel of x, which stays in the first cache, by as many
// outputs as stay in the second while panel after panel of x passes by. oneDNN, which gets the same
// numbers through NHWC without packing, comes to two thirds of the processor's peak; this to nine tenths.

#include "product_weight_gradient.hpp"

#include <omp.h>

#include <algorithm>
#include <cstring>

#include "gemm_block.hpp"
#include "scratch.hpp"

namespace siamban {

namespace {

// Pixels of a block: two vectors of channels of each are 30 KB with AVX-512.
constexpr int64_t kDepth = 240;
// Outputs of a panel, a multiple of each processor's kBlockRows, and panels of a task.
constexpr int64_t kPanelOutputs = 48, kTaskPanels = 8;
// Numbers of a filter, and pixels, below which packing does not pay.
constexpr int64_t kLeastFilter = 1 << 17, kLeastPixels = 16;

int64_t blocks(int64_t count, int64_t size) { return (count + size - 1) / size; }

class ProductWeightGradient : public OwnConvolution {
 public:
  explicit ProductWeightGradient(const ConvShape &s)
      : s_(s), taps_(s.kernel_height * s.kernel_width), channel_panels_(blocks(s.channels, kBlockColumns)),
        output_panels_(blocks(s.out_channels, kPanelOutputs)) {}

  std::string layout() const override { return "plain"; }

  void run(const ConvOperands &operands) const override {
    const int64_t all = s_.batch * s_.out_height * s_.out_width, count = blocks(all, kDepth);
    const int64_t panels = taps_ * channel_panels_, tasks = blocks(output_panels_, kTaskPanels);
    float *x = static_cast<float *>(scratch(kImages, panels * kDepth * kBlockColumns * sizeof(float)));
    float *dy = static_cast<float *>(scratch(kGradients, output_panels_ * kDepth * kPanelOutputs * sizeof(float)));
#pragma omp parallel
    for (int64_t block = 0; block < count; block++) {
      const int64_t first = all * block / count, depth = all * (block + 1) / count - first;
#pragma omp for schedule(static)
      for (int64_t p = 0; p < depth; p++) {
        pack_gradient(operands.filter + (first + p) * s_.out_channels, dy + p * kPanelOutputs, depth);
        for (int64_t tap = 0; tap < taps_; tap++) {
          pack_channels(pixel(operands.input, first + p, tap),
                        x + (tap * channel_panels_ * depth + p) * kBlockColumns, depth);
        }
      }
#pragma omp for schedule(dynamic, 1) collapse(2)
      for (int64_t task = 0; task < tasks; task++) {
        for (int64_t panel = 0; panel < panels; panel++) {
          const int64_t last = std::min(output_panels_, (task + 1) * kTaskPanels);
          for (int64_t o = task * kTaskPanels; o < last; o++) {
            multiply(dy + o * depth * kPanelOutputs, x + panel * depth * kBlockColumns, depth, o * kPanelOutputs,
                     panel, block > 0, operands.output);
          }
        }
      }
    }
  }

 private:
  ConvShape s_;
  int64_t taps_, channel_panels_, output_panels_;

  // What a tap sees from an output's pixel; NULL beyond the image.
  const float *pixel(const float *x, int64_t index, int64_t tap) const {
    const int64_t column = index % s_.out_width, row = index / s_.out_width % s_.out_height;
    const int64_t image = index / (s_.out_width * s_.out_height);
    const int64_t iy = row * s_.stride - s_.padding + tap / s_.kernel_width * s_.dilation;
    const int64_t ix = column * s_.stride - s_.padding + tap % s_.kernel_width * s_.dilation;
    if (iy < 0 || iy >= s_.height || ix < 0 || ix >= s_.width) return nullptr;
    return x + ((image * s_.height + iy) * s_.width + ix) * s_.channels;
  }

  void pack_gradient(const float *from, float *to, int64_t depth) const {
    pack<kPanelOutputs>(from, s_.out_channels, to, depth);
  }
  void pack_channels(const float *from, float *to, int64_t depth) const {
    pack<kBlockColumns>(from, s_.channels, to, depth);
  }

  // One pixel into its row of each panel; zeros fill up the last one.
  template <int64_t width>
  static void pack(const float *from, int64_t count, float *to, int64_t depth) {
    for (int64_t i = 0; i < count; i += width, to += depth * width) {
      for (int64_t v = 0; v < width; v += kLanes) {
        const int64_t lanes = from ? std::min(kLanes, count - i - v) : 0;
        store(to + v, lanes <= 0 ? Vector{} : lanes == kLanes ? load(from + i + v) : load_part(from + i + v, lanes));
      }
    }
  }

  void multiply(const float *dy, const float *x, int64_t depth, int64_t output, int64_t panel, bool add,
                float *filter) const {
    const int64_t row = taps_ * s_.channels, channel = panel % channel_panels_ * kBlockColumns;
    const int64_t count = std::min(kPanelOutputs, s_.out_channels - output);
    float *to = filter + output * row + panel / channel_panels_ * s_.channels + channel;
    for (int64_t r = 0; r < count; r += kBlockRows) {
      const int64_t rows = std::min(kBlockRows, count - r);
      const Strided a = {dy + r, 1, kPanelOutputs};
      if (channel + kBlockColumns <= s_.channels) {
        multiply_rows(rows, a, x, kBlockColumns, to + r * row, row, depth, add);
      } else {
        float sums[kBlockRows * kBlockColumns];
        multiply_rows(rows, a, x, kBlockColumns, sums, kBlockColumns, depth, false);
        write_part(sums, rows, s_.channels - channel, add, to + r * row, row);
      }
    }
  }

  static void write_part(const float *sums, int64_t rows, int64_t width, bool add, float *to, int64_t row) {
    for (int64_t r = 0; r < rows; r++) {
      for (int64_t c = 0; c < width; c++) {
        const float sum = sums[r * kBlockColumns + c];
        to[r * row + c] = add ? to[r * row + c] + sum : sum;
      }
    }
  }
};

}  // namespace

std::unique_ptr<OwnConvolution> make_product_weight_gradient(const ConvShape &s) {
  const int64_t filter = s.out_channels * s.kernel_height * s.kernel_width * s.channels;
  if (!s.small || s.groups != 1 || s.channels < kBlockColumns || filter < kLeastFilter ||
      s.batch * s.out_height * s.out_width < kLeastPixels) {
    return nullptr;
  }
  return std::make_unique<ProductWeightGradient>(s);
}

}  // namespace siamban
