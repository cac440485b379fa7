// Convolution by 1 x 1 filters with stride 1 on matrix tiles: y[p, o] = Σ_c x[p, c] w[o, c], a product of matrices; the
// gradient by x is the same with dy in the place of x.
//
// A thread takes a block of pixels and outputs whose sums its second cache holds, and runs through the sum
// in chunks of a few steps. Of each chunk 32 pixels at a time are split into parts, where the first
// cache holds them, while the filter tiles of the chunk for all outputs of the block pass by from the second.

#include "amx_pointwise.hpp"

#include <omp.h>

#include <algorithm>

#include "amx_filter.hpp"
#include "amx_outputs.hpp"
#include "scratch.hpp"

#ifdef SIAMBAN_AMX

namespace siamban {

namespace {

// Pairs of tiles of pixels and of outputs that a task works on: its sums take 512 KB, a quarter of the second
// cache, and up to 512 outputs use what was split for them.
constexpr int64_t kTaskPairs = 128, kGroupPairs = 16;

template <int kParts>
class AmxPointwise : public OwnConvolution {
 public:
  explicit AmxPointwise(const ConvShape &s)
      : filter_(s.direction == kBackwardInput ? FilterShape{s.out_channels, s.channels, 1, true}
                                              : FilterShape{s.channels, s.out_channels, 1, false}),
        pixels_(s.batch * s.height * s.width),
        activation_(s.activation) {
    for (int64_t i = 0; i < kChunk; i++) steps_[i] = {i * 2 * kParts * kTileBytes, i * 2 * kParts * kTileBytes};
  }

  std::string layout() const override { return filter_.layout(kParts); }

  int64_t packed_floats() const override { return packed_filter_floats<kParts>(filter_); }

  void pack(const float *filter, float *packed) const override {
    pack_filter<kParts>(filter_, filter, packed);
  }

  void run(const ConvOperands &operands) const override {
    const int threads = omp_get_max_threads();
    const int64_t pairs = blocks(pixels_, 32), outputs = filter_.output_pairs();
    const int64_t groups = blocks(outputs, kGroupPairs);
    const int64_t rows = std::max<int64_t>(1, kTaskPairs / blocks(outputs, groups));
    // Enough tasks that threads end together, also where one is held up.
    const int64_t pixel_blocks = std::min(pairs, std::max(blocks(pairs, rows), blocks(4 * threads, groups)));
    constexpr int64_t own_floats = kTaskPairs * kPairFloats;
    float *sums = static_cast<float *>(scratch(kSums, threads * own_floats * sizeof(float)));
#pragma omp parallel num_threads(threads)
    {
      const TileScope tiles;
      float *own = sums + omp_get_thread_num() * own_floats;
#pragma omp for schedule(dynamic, 1) collapse(2)
      for (int64_t g = 0; g < groups; g++) {
        for (int64_t b = 0; b < pixel_blocks; b++) {
          multiply(share(pairs, b, pixel_blocks), share(outputs, g, groups), operands, own);
        }
      }
    }
  }

 private:
  static constexpr int64_t kChunk = kChunkSteps<kParts>;
  FilterShape filter_;
  int64_t pixels_, activation_;
  TileStep steps_[kChunk];

  void multiply(Range pixels, Range outputs, const ConvOperands &operands, float *sums) const {
    alignas(64) char split[kChunk * 2 * kParts * kTileBytes];
    const int64_t all = filter_.depth_blocks();
    for (int64_t k = 0; k < all; k += kChunk) {
      const int64_t count = std::min(kChunk, all - k);
      float *own = sums;
      for (int64_t pair = pixels.first; pair < pixels.last; pair++) {
        split_pixels(operands.input, pair, k, count, split);
        for (int64_t n = outputs.first; n < outputs.last; n++, own += kPairFloats) {
          const char *filter =
              reinterpret_cast<const char *>(operands.filter) + (n * all + k) * 2 * kParts * kTileBytes;
          const TileSum at = {{split, split + kTileBytes}, 2 * kTileBytes, 64, {filter, filter + kParts * kTileBytes},
                              kTileBytes};
          add_tile_products<kParts>(at, steps_, count, k == 0, own);
          if (k + count == all) write(own, pair, n, operands);
        }
      }
    }
  }

  // [step][part][32 pixels][32 numbers].
  void split_pixels(const float *input, int64_t pair, int64_t k, int64_t count, char *to) const {
    const int64_t channel = k * kTileDepth;
    for (int64_t i = 0; i < 32; i++) {
      const int64_t pixel = std::min(pair * 32 + i, pixels_ - 1);
      const float *row = input + pixel * filter_.inputs + channel;
      for (int64_t s = 0; s < count; s++) {
        store(split_row<kParts>(row + s * kTileDepth, filter_.inputs - channel - s * kTileDepth),
              to + s * 2 * kParts * kTileBytes + 64 * i, 2 * kTileBytes);
      }
    }
  }

  void write(const float *sums, int64_t pair, int64_t output, const ConvOperands &operands) const {
    for (int64_t half = 0; half < 2; half++) {
      const int64_t pixel = pair * 32 + half * 16, count = std::min<int64_t>(16, pixels_ - pixel);
      write_sums(sums + half * 2 * kTileFloats,
                 {pixel * filter_.outputs, count, output * 32, filter_.outputs, activation_}, operands);
    }
  }
};

}  // namespace

std::unique_ptr<OwnConvolution> make_amx_pointwise(const ConvShape &s) {
  const bool fits = s.kernel_height == 1 && s.kernel_width == 1 && s.stride == 1 && s.padding == 0;
  if (!fits || !amx_filter_fits(s)) return nullptr;
  if (s.parts == 3) return std::make_unique<AmxPointwise<3>>(s);
  return std::make_unique<AmxPointwise<2>>(s);
}

}  // namespace siamban

#else

namespace siamban {
std::unique_ptr<OwnConvolution> make_amx_pointwise(const ConvShape &) { return nullptr; }
}  // namespace siamban

#endif
