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
// filter's taps and sides turned. A 1 x 1 convolution sees its image as one long row.

#include "amx_forward.hpp"

#include <omp.h>

#include <algorithm>
#include <vector>

#include "amx_tiles.hpp"
#include "native.hpp"
#include "scratch.hpp"
#include "split_floats.hpp"

#ifdef SIAMBAN_AMX

namespace siamban {

namespace {

// Steps of a sum whose filter tiles, 4 KB each, stay in the first cache.
constexpr int64_t kChunkSteps = 9;
// Pairs of output tiles, and of filter tiles, that a task works on: its sums take 512 KB, a quarter of
// the second cache, and each byte from beyond that cache serves two hundred products and more. More
// outputs where taps use their inputs again, more filters where they do not.
constexpr int64_t kTaskPairs = 128;
constexpr int64_t kGroupPairs = 8, kGroupPairsOfTaps = 4;
constexpr int64_t kColumnBytes = kTileDepth * 2;

int64_t blocks(int64_t count, int64_t size) { return (count + size - 1) / size; }

struct Range {
  int64_t first, last;
};

Range part(int64_t count, int64_t index, int64_t parts) {
  return {count * index / parts, count * (index + 1) / parts};
}

template <int kParts>
class AmxForward : public OwnConvolution {
 public:
  explicit AmxForward(const ConvShape &s) : turned_(s.direction == kBackwardInput) {
    inputs_ = turned_ ? s.out_channels : s.channels;
    outputs_ = turned_ ? s.channels : s.out_channels;
    kernel_height_ = s.kernel_height, kernel_width_ = s.kernel_width;
    taps_ = s.kernel_height * s.kernel_width;
    dilation_ = s.dilation;
    stride_ = turned_ ? 1 : s.stride;
    spread_ = turned_ ? s.stride : 1;
    top_ = turned_ ? s.dilation * (s.kernel_height - 1) - s.padding : s.padding;
    left_ = turned_ ? s.dilation * (s.kernel_width - 1) - s.padding : s.padding;
    batch_ = s.batch;
    height_ = turned_ ? s.out_height : s.height, width_ = turned_ ? s.out_width : s.width;
    out_height_ = turned_ ? s.height : s.out_height, out_width_ = turned_ ? s.width : s.out_width;
    activation_ = s.activation;
    if (taps_ == 1 && stride_ == 1 && spread_ == 1 && top_ == 0 && left_ == 0) {
      width_ = out_width_ = batch_ * height_ * width_;
      batch_ = height_ = out_height_ = 1;
    }
    depth_blocks_ = blocks(inputs_, kTileDepth);
    row_tiles_ = blocks(out_width_, kTileRows);
    rows_ = (out_height_ - 1) * stride_ + dilation_ * (kernel_height_ - 1) + 1;
    columns_ = (row_tiles_ * kTileRows - 1) * stride_ + dilation_ * (kernel_width_ - 1) + 1;
    rest_ = columns_ * kColumnBytes;
    for (int64_t q = 0; q < depth_blocks_; q++) {
      for (int64_t u = 0; u < kernel_height_; u++) {
        for (int64_t v = 0; v < kernel_width_; v++) {
          const int64_t left = (q * rows_ + u * dilation_) * kParts * rest_ + v * dilation_ * kColumnBytes;
          steps_.push_back({left, static_cast<int64_t>(steps_.size()) * 2 * kParts * kTileBytes});
        }
      }
    }
  }

  std::string layout() const override {
    return "amx " + std::to_string(kParts) + " " + std::to_string(turned_) + " " + std::to_string(outputs_) + " " +
           std::to_string(taps_) + " " + std::to_string(inputs_);
  }

  int64_t packed_floats() const override {
    return output_pairs() * steps_.size() * 2 * kParts * kTileBytes / sizeof(float);
  }

  // Tiles [32 outputs][32 inputs][tap][16 outputs][part]: 16 rows of pairs of inputs, 16 outputs each.
  void pack(const float *filter, float *packed) const override {
    char *to = reinterpret_cast<char *>(packed);
#pragma omp parallel for schedule(static) collapse(2)
    for (int64_t pair = 0; pair < output_pairs(); pair++) {
      for (int64_t q = 0; q < depth_blocks_; q++) {
        char *tiles = to + (pair * depth_blocks_ + q) * taps_ * 2 * kParts * kTileBytes;
        for (int64_t t = 0; t < taps_; t++) {
          for (int64_t half = 0; half < 2; half++, tiles += kParts * kTileBytes) {
            const int64_t output = pair * 32 + half * 16;
            turned_ ? pack_turned(filter, output, taps_ - 1 - t, q * kTileDepth, tiles)
                    : pack_plain(filter, output, t, q * kTileDepth, tiles);
          }
        }
      }
    }
  }

  void run(const ConvOperands &operands) const override {
    const int64_t plane = rows_ * kParts * rest_;
    char *image = static_cast<char *>(scratch(kImages, batch_ * depth_blocks_ * plane));
    split_image(operands.input, image);
    const int threads = omp_get_max_threads();
    const int64_t pairs = blocks(batch_ * out_height_ * row_tiles_, 2);
    const int64_t group_pairs = taps_ > 1 ? kGroupPairsOfTaps : kGroupPairs;
    const int64_t image_blocks = blocks(pairs, kTaskPairs / group_pairs);
    // Enough tasks that threads end together, also where one is held up.
    const int64_t groups = std::min(
        output_pairs(), std::max(blocks(output_pairs(), group_pairs), blocks(2 * threads, image_blocks)));
    constexpr int64_t own_floats = kTaskPairs * kPairFloats;
    float *sums = static_cast<float *>(scratch(kSums, threads * own_floats * sizeof(float)));
#pragma omp parallel num_threads(threads)
    {
      const TileScope tiles;
      float *own = sums + omp_get_thread_num() * own_floats;
#pragma omp for schedule(dynamic, 1) collapse(2)
      for (int64_t g = 0; g < groups; g++) {
        for (int64_t b = 0; b < image_blocks; b++) {
          const Range pair = part(pairs, b, image_blocks), output = part(output_pairs(), g, groups);
          multiply(image, pair, output, operands, own);
        }
      }
    }
  }

 private:
  bool turned_;
  int64_t inputs_, outputs_, kernel_height_, kernel_width_, taps_, dilation_, stride_, spread_, top_, left_;
  int64_t batch_, height_, width_, out_height_, out_width_, activation_;
  int64_t depth_blocks_, row_tiles_, rows_, columns_, rest_;
  std::vector<TileStep> steps_;

  int64_t output_pairs() const { return blocks(outputs_, 32); }

  void pack_plain(const float *filter, int64_t output, int64_t tap, int64_t input, char *tile) const {
    Parts<kParts> rows[16] = {};
    for (int64_t i = 0; i < 16 && output + i < outputs_; i++) {
      rows[i] = split_row<kParts>(filter + ((output + i) * taps_ + tap) * inputs_ + input, inputs_ - input);
    }
    store_transposed(rows, tile, kTileBytes);
  }

  // The filter's own outputs are what is summed over here.
  void pack_turned(const float *filter, int64_t output, int64_t tap, int64_t input, char *tile) const {
    auto row = [&](int64_t i) {
      return i < inputs_ && output < outputs_ ? filter + (i * taps_ + tap) * outputs_ + output : nullptr;
    };
    for (int64_t i = 0; i < 16; i++) {
      const int64_t from = input + 2 * i;
      store(split_pairs<kParts>(row(from), row(from + 1), outputs_ - output), tile + 64 * i, kTileBytes);
    }
  }

  void split_image(const float *input, char *image) const {
#pragma omp parallel for schedule(static) collapse(2)
    for (int64_t b = 0; b < batch_; b++) {
      for (int64_t r = 0; r < rows_; r++) {
        const int64_t y = r - top_;
        const bool inside = y >= 0 && y % spread_ == 0 && y / spread_ < height_;
        for (int64_t q = 0; q < depth_blocks_; q++) {
          char *row = image + ((b * depth_blocks_ + q) * rows_ + r) * kParts * rest_;
          const float *from =
              inside ? input + (b * height_ + y / spread_) * width_ * inputs_ + q * kTileDepth : nullptr;
          split_image_row(from, inputs_ - q * kTileDepth, row);
        }
      }
    }
  }

  void split_image_row(const float *from, int64_t count, char *row) const {
    const Parts<kParts> zero = {};
    if (batch_ * rows_ == 1) return split_long_row(from, count, row);
    for (int64_t c = 0; c < columns_; c++) {
      const int64_t x = c - left_;
      const bool inside = from && x >= 0 && x % spread_ == 0 && x / spread_ < width_;
      store(inside ? split_row<kParts>(from + x / spread_ * inputs_, count) : zero,
            row + c * kColumnBytes, rest_);
    }
  }

  void split_long_row(const float *from, int64_t count, char *row) const {
    const Parts<kParts> zero = {};
#pragma omp parallel for schedule(static)
    for (int64_t c = 0; c < columns_; c++) {
      store(c < width_ ? split_row<kParts>(from + c * inputs_, count) : zero, row + c * kColumnBytes, rest_);
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
    for (int64_t s = first; s < last; s += taps_) {
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
    const int64_t chunk = taps_ == kChunkSteps ? kChunkSteps : std::min<int64_t>(all, 8);
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

  // Adds bias and residual, activates, and writes 16 x 32 outputs.
  void finish_tile(const float *sums, int64_t tile, int64_t output, const ConvOperands &operands) const {
    if (tile >= batch_ * out_height_ * row_tiles_) return;
    const int64_t x = tile % row_tiles_ * kTileRows, count = std::min(kTileRows, out_width_ - x);
    const int64_t at = (tile / row_tiles_ * out_width_ + x) * outputs_;
    const __m512 zero = _mm512_setzero_ps(), six = _mm512_set1_ps(6);
    for (int64_t half = 0; half < 2; half++, output += 16, sums += kTileFloats) {
      const __mmask16 mask = lanes(outputs_ - output);
      if (!mask) return;
      const __m512 bias = operands.bias ? _mm512_maskz_loadu_ps(mask, operands.bias + output) : zero;
      for (int64_t i = 0; i < count; i++) {
        const int64_t to = at + i * outputs_ + output;
        __m512 value = _mm512_add_ps(_mm512_load_ps(sums + 16 * i), bias);
        if (operands.residual) {
          value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, operands.residual + to));
        }
        // Where a number is none, max gives its second operand: not-a-number stays.
        if (activation_ != kNone) value = _mm512_max_ps(zero, value);
        if (activation_ == kRelu6) value = _mm512_min_ps(six, value);
        _mm512_mask_storeu_ps(operands.output + to, mask, value);
      }
    }
  }
};

}  // namespace

std::unique_ptr<OwnConvolution> make_amx_forward(const ConvShape &shape) {
  const int64_t reach = shape.dilation * (std::min(shape.kernel_height, shape.kernel_width) - 1);
  const bool turned = shape.direction == kBackwardInput;
  if (!amx_usable() || shape.activation == kHardSwish || shape.parts < 2 || shape.groups != 1 || shape.channels < 16 || shape.out_channels < 16) return nullptr;
  if (turned && shape.padding > reach) return nullptr;
  if (shape.parts == 3) return std::make_unique<AmxForward<3>>(shape);
  return std::make_unique<AmxForward<2>>(shape);
}

}  // namespace siamban

#else

namespace siamban {
std::unique_ptr<OwnConvolution> make_amx_forward(const ConvShape &) { return nullptr; }
}  // namespace siamban

#endif
