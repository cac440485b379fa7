// The filter's gradient on matrix tiles: w'[o, t, c] = Σ_p y'[p, o] x[p s + t d, c].
//
// The sum runs over pixels, 32 a step, along rows of the image. dy is split once into tiles
// [16 outputs][step][part], transposed, so that a row of a tile is one output's 32 pixels. x is split once into
// pairs of neighbouring pixels [16 channels][version][batch][row][part][pair][16][2] with its border of zeros:
// 16 pairs are a tile, and a tap is an offset, in rows and in pairs. Where a tap shifts by an odd
// number of pixels its pairs are others: a second version holds them; with a stride, each column of
// taps has its own. Pixels beyond a row's end are zeros in dy, so what x holds there does not matter.
//
// A task has some outputs by some channels by all taps. Its sums lie in a buffer in the second cache; in
// chunks of a few steps the tiles of x stay in the first cache while all outputs pass by.

#include <omp.h>

#include <algorithm>
#include <vector>

#include "amx_forward.hpp"
#include "amx_tiles.hpp"
#include "scratch.hpp"
#include "split_floats.hpp"

#ifdef SIAMBAN_AMX

namespace siamban {

namespace {

// Pairs of tiles of a task: outputs, and channels where there is one tap and where there are more.
constexpr int64_t kOutputPairs = 8, kChannelPairs = 8, kChannelPairsOfTaps = 1;
constexpr int64_t kRowBytes = 64;
// Tiles of channels that are split together.
constexpr int64_t kRunTiles = 8;

template <int kParts>
class AmxWeightGradient : public OwnConvolution {
 public:
  explicit AmxWeightGradient(const ConvShape &s) : s_(s) {
    taps_ = s.kernel_height * s.kernel_width;
    if (taps_ == 1 && s.stride == 1 && s.padding == 0) {
      s_.width = s_.out_width = s.batch * s.height * s.width;
      s_.batch = s_.height = s_.out_height = 1;
    }
    chunks_ = blocks(s_.out_width, kTileDepth);
    rows_ = (s_.out_height - 1) * s.stride + s.dilation * (s.kernel_height - 1) + 1;
    const int64_t reach = s.stride == 1 ? s.dilation * (s.kernel_width - 1) : 0;
    pairs_ = chunks_ * kTileRows + blocks(reach, 2);
    for (int64_t v = 0; v < s.kernel_width; v++) {
      const int64_t shift = v * s.dilation;
      columns_.push_back(s.stride == 1 ? Column{shift % 2, shift / 2} : Column{v, 0});
      version_count_ = std::max(version_count_, columns_.back().version + 1);
    }
    for (int64_t b = 0; b < s_.batch; b++) {
      for (int64_t y = 0; y < s_.out_height; y++) {
        for (int64_t c = 0; c < chunks_; c++) {
          const int64_t right = (b * rows_ + y * s.stride) * row_bytes() + c * kTileRows * kRowBytes;
          steps_.push_back({static_cast<int64_t>(steps_.size()) * kParts * kTileBytes, right});
        }
      }
    }
  }

  std::string layout() const override { return "plain"; }

  void run(const ConvOperands &operands) const override {
    const int64_t output_tiles = 2 * blocks(s_.out_channels, 32), channel_tiles = 2 * blocks(s_.channels, 32);
    char *left = static_cast<char *>(scratch(kGradients, output_tiles * left_bytes()));
    char *right = static_cast<char *>(scratch(kImages, channel_tiles * right_bytes()));
    split_gradient(operands.filter, left);
    split_image(operands.input, right);

    const int threads = omp_get_max_threads();
    const int64_t outputs = output_tiles / 2, channels = channel_tiles / 2;
    const int64_t most_channels = taps_ > 1 ? kChannelPairsOfTaps : kChannelPairs;
    const int64_t channel_groups = blocks(channels, most_channels);
    // Enough tasks that threads end together, also where one is held up.
    const int64_t output_groups = std::min(
        outputs, std::max(blocks(outputs, kOutputPairs), blocks(2 * threads, channel_groups)));
    const int64_t own_floats = kOutputPairs * most_channels * taps_ * kPairFloats;
    float *sums = static_cast<float *>(scratch(kSums, threads * own_floats * sizeof(float)));
#pragma omp parallel num_threads(threads)
    {
      const TileScope tiles;
      float *own = sums + omp_get_thread_num() * own_floats;
#pragma omp for schedule(dynamic, 1) collapse(2)
      for (int64_t c = 0; c < channel_groups; c++) {
        for (int64_t o = 0; o < output_groups; o++) {
          const Task task = {outputs * o / output_groups, outputs * (o + 1) / output_groups,
                             channels * c / channel_groups, channels * (c + 1) / channel_groups};
          multiply(left, right, task, own);
          write(own, task, operands.output);
        }
      }
    }
  }

 private:
  // Where a column of taps finds its pairs.
  struct Column {
    int64_t version, shift;
  };
  // Pairs of tiles [first, last).
  struct Task {
    int64_t first_output, last_output, first_channel, last_channel;
  };

  ConvShape s_;
  int64_t taps_, chunks_, rows_, pairs_, version_count_ = 1;
  std::vector<Column> columns_;
  std::vector<TileStep> steps_;

  int64_t row_bytes() const { return kParts * pairs_ * kRowBytes; }
  int64_t version_bytes() const { return s_.batch * rows_ * row_bytes(); }
  int64_t right_bytes() const { return version_count_ * version_bytes(); }
  int64_t left_bytes() const { return steps_.size() * kParts * kTileBytes; }

  void split_gradient(const float *dy, char *left) const {
    const int64_t width = s_.out_width, filters = s_.out_channels, tiles = 2 * blocks(filters, 32);
#pragma omp parallel for schedule(static)
    for (size_t step = 0; step < steps_.size(); step++) {
      const int64_t row = step / chunks_, x = step % chunks_ * kTileDepth;
      for (int64_t tile = 0; tile < tiles; tile++) {
        auto pixel = [&](int64_t i) {
          return x + i < width && tile * 16 < filters ? dy + (row * width + x + i) * filters + tile * 16
                                                      : nullptr;
        };
        Parts<kParts> pairs[16];
        for (int64_t i = 0; i < 16; i++) {
          pairs[i] = split_pairs<kParts>(pixel(2 * i), pixel(2 * i + 1), filters - tile * 16);
        }
        store_transposed(pairs, left + tile * left_bytes() + step * kParts * kTileBytes, kTileBytes);
      }
    }
  }

  void split_image(const float *x, char *right) const {
    const int64_t tiles = 2 * blocks(s_.channels, 32);
    // Long rows in pieces, so that one row alone gives all threads work.
    const int64_t pieces = blocks(pairs_, 64);
#pragma omp parallel for schedule(static) collapse(3)
    for (int64_t b = 0; b < s_.batch; b++) {
      for (int64_t r = 0; r < rows_; r++) {
        for (int64_t piece = 0; piece < pieces; piece++) {
          const int64_t y = r - s_.padding;
          const float *row = y >= 0 && y < s_.height ? x + (b * s_.height + y) * s_.width * s_.channels : nullptr;
          for (int64_t version = 0; version < version_count_; version++) {
            char *to = right + version * version_bytes() + (b * rows_ + r) * row_bytes();
            split_row_of_pairs(row, {version, piece * 64}, tiles, to);
          }
        }
      }
    }
  }

  // Up to 64 pairs from pair `at.shift` on, by runs of channels: what is read and what is written come in few streams.
  void split_row_of_pairs(const float *row, Column at, int64_t tiles, char *to) const {
    const int64_t stride = s_.stride, first = (stride == 1 ? at.version : at.version * s_.dilation) - s_.padding;
    auto pixel = [&](int64_t i) {
      const int64_t x = first + i * stride;
      return row && x >= 0 && x < s_.width ? row + x * s_.channels : nullptr;
    };
    for (int64_t run = 0; run < tiles; run += kRunTiles) {
      for (int64_t i = at.shift; i < std::min(pairs_, at.shift + 64); i++) {
        const float *even = pixel(2 * i), *odd = pixel(2 * i + 1);
        for (int64_t tile = run; tile < std::min(tiles, run + kRunTiles); tile++) {
          const int64_t channel = tile * 16;
          auto part = [&](const float *from) { return from && channel < s_.channels ? from + channel : nullptr; };
          store(split_pairs<kParts>(part(even), part(odd), s_.channels - channel),
                to + tile * right_bytes() + i * kRowBytes, pairs_ * kRowBytes);
        }
      }
    }
  }

  int64_t tap_offset(int64_t tap) const {
    const Column &column = columns_[tap % s_.kernel_width];
    return column.version * version_bytes() + tap / s_.kernel_width * s_.dilation * row_bytes() +
           column.shift * kRowBytes;
  }

  void multiply(const char *left, const char *right, const Task &task, float *sums) const {
    constexpr int64_t kChunk = kChunkSteps<kParts>;
    const int64_t all = steps_.size();
    for (int64_t k = 0; k < all; k += kChunk) {
      float *own = sums;
      for (int64_t c = task.first_channel; c < task.last_channel; c++) {
        for (int64_t t = 0; t < taps_; t++) {
          const char *image = right + 2 * c * right_bytes() + tap_offset(t);
          for (int64_t o = task.first_output; o < task.last_output; o++, own += kPairFloats) {
            const char *gradient = left + 2 * o * left_bytes();
            const TileSum at = {{gradient, gradient + left_bytes()},
                                kTileBytes,
                                kRowBytes,
                                {image, image + right_bytes()},
                                pairs_ * kRowBytes};
            add_tile_products<kParts>(at, steps_.data() + k, std::min(kChunk, all - k), k == 0, own);
          }
        }
      }
    }
  }

  void write(const float *sums, const Task &task, float *filter) const {
    for (int64_t c = task.first_channel; c < task.last_channel; c++) {
      for (int64_t t = 0; t < taps_; t++) {
        for (int64_t o = task.first_output; o < task.last_output; o++, sums += kPairFloats) {
          for (int64_t tile = 0; tile < 4; tile++) {
            write_tile(sums + tile * kTileFloats, 32 * o + tile / 2 * 16, t, 32 * c + tile % 2 * 16, filter);
          }
        }
      }
    }
  }

  void write_tile(const float *sums, int64_t output, int64_t tap, int64_t channel, float *filter) const {
    const __mmask16 mask = lanes(s_.channels - channel);
    for (int64_t i = 0; mask && i < std::min<int64_t>(16, s_.out_channels - output); i++) {
      _mm512_mask_storeu_ps(filter + ((output + i) * taps_ + tap) * s_.channels + channel, mask,
                            _mm512_load_ps(sums + 16 * i));
    }
  }
};

}  // namespace

std::unique_ptr<OwnConvolution> make_amx_weight_gradient(const ConvShape &shape) {
  if (!amx_usable() || shape.parts < 2 || shape.groups != 1) return nullptr;
  if (shape.channels < 16 || shape.out_channels < 16) return nullptr;
  if (shape.parts == 3) return std::make_unique<AmxWeightGradient<3>>(shape);
  return std::make_unique<AmxWeightGradient<2>>(shape);
}

}  // namespace siamban

#else

namespace siamban {
std::unique_ptr<OwnConvolution> make_amx_weight_gradient(const ConvShape &) { return nullptr; }
}  // namespace siamban

#endif
