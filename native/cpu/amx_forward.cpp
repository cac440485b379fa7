// Convolution on matrix tiles, without patches: y[p, o] = Σ_t Σ_c x[p s + t d, c] w[o, t, c].
//
// The image is split once into blocks [batch][32 channels][row][part][column][32], with its border of
// zeros, so that 16 neighbouring outputs of one tap are one tile in memory, whatever the tap: a
// tap is an offset. Filters are packed as tiles in the order in which they are read. A thread takes a
// block of outputs that its second cache holds; for each 32 filters it runs through the sum in chunks
// of a few steps, whose filter tiles stay in the first cache while all outputs of the block pass by;
// between chunks the sums lie in a buffer. Taps come innermost, because they read the same rows.
//
// The gradient by x is the same with dy in the image's place, its pixels `stride` apart, and the
// filter's taps and sides turned.

#include "amx_forward.hpp"

#include <omp.h>

#include <algorithm>
#include <vector>

#include "amx_filter.hpp"
#include "amx_outputs.hpp"
#include "native.hpp"
#include "scratch.hpp"
#include "split_floats.hpp"

#ifdef SIAMBAN_AMX

namespace siamban {

namespace {

// Pairs of output tiles, and of filter tiles, that a task works on: its sums take 512 KB, a quarter of
// the second cache, and each byte from beyond that cache serves two hundred products and more.
constexpr int64_t kTaskPairs = 128, kGroupPairs = 4;
// Columns, and blocks of channels, that are split together.
constexpr int64_t kRunColumns = 64, kRunDepth = 8;
constexpr int64_t kColumnBytes = kTileDepth * 2;

template <int kParts>
class AmxForward : public OwnConvolution {
 public:
  explicit AmxForward(const ConvShape &s) : turned_(s.direction == kBackwardInput) {
    inputs_ = turned_ ? s.out_channels : s.channels;
    outputs_ = turned_ ? s.channels : s.out_channels;
    filter_ = {inputs_, outputs_, s.kernel_height * s.kernel_width, turned_};
    stride_ = turned_ ? 1 : s.stride;
    spread_ = turned_ ? s.stride : 1;
    top_ = turned_ ? s.dilation * (s.kernel_height - 1) - s.padding : s.padding;
    left_ = turned_ ? s.dilation * (s.kernel_width - 1) - s.padding : s.padding;
    batch_ = s.batch;
    height_ = turned_ ? s.out_height : s.height, width_ = turned_ ? s.out_width : s.width;
    out_height_ = turned_ ? s.height : s.out_height, out_width_ = turned_ ? s.width : s.out_width;
    activation_ = s.activation;
    depth_blocks_ = blocks(inputs_, kTileDepth);
    row_tiles_ = blocks(out_width_, kTileRows);
    rows_ = (out_height_ - 1) * stride_ + s.dilation * (s.kernel_height - 1) + 1;
    columns_ = (row_tiles_ * kTileRows - 1) * stride_ + s.dilation * (s.kernel_width - 1) + 1;
    rest_ = columns_ * kColumnBytes;
    for (int64_t q = 0; q < depth_blocks_; q++) {
      for (int64_t u = 0; u < s.kernel_height; u++) {
        for (int64_t v = 0; v < s.kernel_width; v++) {
          const int64_t left = (q * rows_ + u * s.dilation) * kParts * rest_ + v * s.dilation * kColumnBytes;
          steps_.push_back({left, static_cast<int64_t>(steps_.size()) * 2 * kParts * kTileBytes});
        }
      }
    }
  }

  std::string layout() const override { return filter_.layout(kParts); }

  int64_t packed_floats() const override { return packed_filter_floats<kParts>(filter_); }

  void pack(const float *filter, float *packed) const override {
    pack_filter<kParts>(filter_, filter, packed);
  }

  void run(const ConvOperands &operands) const override {
    const int64_t plane = rows_ * kParts * rest_;
    char *image = static_cast<char *>(scratch(kImages, batch_ * depth_blocks_ * plane));
    split_image(operands.input, image);
    const int threads = omp_get_max_threads();
    const int64_t pairs = blocks(batch_ * out_height_ * row_tiles_, 2);
    const int64_t image_blocks = blocks(pairs, kTaskPairs / kGroupPairs);
    // Enough tasks that threads end together, also where one is held up.
    const int64_t groups = std::min(
        output_pairs(), std::max(blocks(output_pairs(), kGroupPairs), blocks(2 * threads, image_blocks)));
    constexpr int64_t own_floats = kTaskPairs * kPairFloats;
    float *sums = static_cast<float *>(scratch(kSums, threads * own_floats * sizeof(float)));
#pragma omp parallel num_threads(threads)
    {
      const TileScope tiles;
      float *own = sums + omp_get_thread_num() * own_floats;
#pragma omp for schedule(dynamic, 1) collapse(2)
      for (int64_t g = 0; g < groups; g++) {
        for (int64_t b = 0; b < image_blocks; b++) {
          const Range pair = share(pairs, b, image_blocks), output = share(output_pairs(), g, groups);
          multiply(image, pair, output, operands, own);
        }
      }
    }
  }

 private:
  bool turned_;
  FilterShape filter_;
  int64_t inputs_, outputs_, stride_, spread_, top_, left_;
  int64_t batch_, height_, width_, out_height_, out_width_, activation_;
  int64_t depth_blocks_, row_tiles_, rows_, columns_, rest_;
  std::vector<TileStep> steps_;

  int64_t output_pairs() const { return filter_.output_pairs(); }

  // By runs of columns and of channels: both what is read and what is written come in few streams.
  void split_image(const float *input, char *image) const {
    const int64_t runs = blocks(columns_, kRunColumns);
#pragma omp parallel for schedule(static) collapse(2)
    for (int64_t r = 0; r < batch_ * rows_; r++) {
      for (int64_t run = 0; run < runs; run++) {
        const int64_t y = r % rows_ - top_;
        const bool inside = y >= 0 && y % spread_ == 0 && y / spread_ < height_;
        const float *from = inside ? input + (r / rows_ * height_ + y / spread_) * width_ * inputs_ : nullptr;
        char *row = image + (r / rows_ * depth_blocks_ * rows_ + r % rows_) * kParts * rest_;
        const Range columns = {run * kRunColumns, std::min(columns_, (run + 1) * kRunColumns)};
        for (int64_t q = 0; q < depth_blocks_; q += kRunDepth) {
          split_run(from, columns, {q, std::min(depth_blocks_, q + kRunDepth)}, row);
        }
      }
    }
  }

  void split_run(const float *from, Range columns, Range depth, char *row) const {
    const Parts<kParts> zero = {};
    for (int64_t c = columns.first; c < columns.last; c++) {
      const int64_t x = c - left_;
      const bool inside = from && x >= 0 && x % spread_ == 0 && x / spread_ < width_;
      const float *pixel = inside ? from + x / spread_ * inputs_ : nullptr;
      for (int64_t q = depth.first; q < depth.last; q++) {
        const int64_t channel = q * kTileDepth;
        store(inside ? split_row<kParts>(pixel + channel, inputs_ - channel) : zero,
              row + q * rows_ * kParts * rest_ + c * kColumnBytes, rest_);
      }
    }
  }

  // Where the inputs of a tile of outputs begin; of the last one again where there is none.
  const char *tile_at(const char *image, int64_t tile) const {
    tile = std::min(tile, batch_ * out_height_ * row_tiles_ - 1);
    const int64_t row = tile / row_tiles_, b = row / out_height_, y = row % out_height_;
    return image + (b * depth_blocks_ * rows_ + y * stride_) * kParts * rest_ +
           tile % row_tiles_ * kTileRows * stride_ * kColumnBytes;
  }

  // Asks for the inputs of one tile for the steps of the next chunk, without the taps' offsets.
  void fetch_tile(const char *tile, int64_t first, int64_t last) const {
    for (int64_t s = first; s < last; s += filter_.taps) {
      for (int64_t part = 0; part < kParts; part++) {
        const char *from = tile + steps_[s].left + part * rest_;
        for (int64_t i = 0; i < kTileRows * stride_; i++) _mm_prefetch(from + i * kColumnBytes, _MM_HINT_T1);
      }
    }
  }

  // Pairs of tiles of outputs, by pairs of tiles of filters.
  void multiply(const char *image, Range pairs, Range filters, const ConvOperands &operands,
                float *sums) const {
    const int64_t all = steps_.size();
    // A row of taps, or all nine: these use the same inputs.
    constexpr int64_t chunk = kParts == 3 ? 3 : 9;
    for (int64_t k = 0; k < all; k += chunk) {
      const int64_t count = std::min(chunk, all - k);
      float *own = sums;
      for (int64_t n = filters.first; n < filters.last; n++) {
        const char *filter =
            reinterpret_cast<const char *>(operands.filter) + n * all * 2 * kParts * kTileBytes;
        const char *next = filter + ((n + 1 < filters.last ? all : 0) + k) * 2 * kParts * kTileBytes;
        const int64_t ahead = blocks(count * 2 * kParts * kTileBytes / 64, pairs.last - pairs.first) * 64;
        for (int64_t pair = pairs.first; pair < pairs.last; pair++, own += kPairFloats, next += ahead) {
          for (int64_t i = 0; i < ahead; i += 64) _mm_prefetch(next + i, _MM_HINT_T1);
          const TileSum at = {{tile_at(image, 2 * pair), tile_at(image, 2 * pair + 1)},
                              rest_,
                              stride_ * kColumnBytes,
                              {filter, filter + kParts * kTileBytes},
                              kTileBytes};
          if (k + count < all && (pair - n) % (filters.last - filters.first) == 0) {
            for (const char *tile : at.left) fetch_tile(tile, k + count, std::min(all, k + 2 * count));
          }
          add_tile_products<kParts>(at, steps_.data() + k, count, k == 0, own);
          if (k + count < all) continue;
          finish_tile(own, 2 * pair, n * 32, operands);
          finish_tile(own + 2 * kTileFloats, 2 * pair + 1, n * 32, operands);
        }
      }
    }
  }

  void finish_tile(const float *sums, int64_t tile, int64_t output, const ConvOperands &operands) const {
    if (tile >= batch_ * out_height_ * row_tiles_) return;
    const int64_t x = tile % row_tiles_ * kTileRows;
    const int64_t at = (tile / row_tiles_ * out_width_ + x) * outputs_;
    write_sums(sums, {at, std::min(kTileRows, out_width_ - x), output, outputs_, activation_}, operands);
  }
};

}  // namespace

std::unique_ptr<OwnConvolution> make_amx_forward(const ConvShape &shape) {
  const int64_t reach = shape.dilation * (std::min(shape.kernel_height, shape.kernel_width) - 1);
  const bool turned = shape.direction == kBackwardInput;
  if (!amx_filter_fits(shape) || (turned && shape.padding > reach)) return nullptr;
  if (shape.parts == 3) return std::make_unique<AmxForward<3>>(shape);
  return std::make_unique<AmxForward<2>>(shape);
}

}  // namespace siamban

#else

namespace siamban {
std::unique_ptr<OwnConvolution> make_amx_forward(const ConvShape &) { return nullptr; }
}  // namespace siamban

#endif
