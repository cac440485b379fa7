// The gradient of 3 x 3 filters with stride 1 through Winograd's F(4 x 4, 3 x 3) (winograd_matrices.hpp): where the
// forward pass is y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ x B) ] A, the gradient is g' = Gᵀ [ Σ (A y' Aᵀ) ⊙ (Bᵀ x B) ] G, summed over
// tiles.
//
// Both factors are transformed for a block of tiles. A task has some outputs by four vectors of channels: its 36
// sums over tiles are products of matrices whose results stay in the second cache until they are
// transformed back. Its size decides how often the factors are read: 48 outputs by 64 channels with
// AVX-512 (442 KB of sums), 48 by 32 with AVX2 (221 KB). The sums lie as [output][36][channels], so that
// what is transformed back together lies together.

#include <omp.h>

#include <algorithm>

#include "gemm_block.hpp"
#include "scratch.hpp"
#include "winograd.hpp"
#include "winograd_matrices.hpp"

namespace siamban {

namespace {

constexpr WinogradMatrices kMatrices;
// Of both transformed factors of a block of tiles.
constexpr int64_t kBlockBytes = 64 << 20;
constexpr int64_t kTaskOutputs = 48;
constexpr int64_t kTaskColumns = 2 * kBlockColumns;
constexpr int64_t kSumRow = 36 * kTaskColumns;
// Tiles whose two vectors of channels stay in the first cache.
constexpr int64_t kDepth = 192;

int64_t blocks(int64_t count, int64_t size) { return (count + size - 1) / size; }

class WinogradWeightGradient : public OwnConvolution {
 public:
  explicit WinogradWeightGradient(const ConvShape &s)
      : tiles_(winograd_tiles(s)), inputs_(s.channels), outputs_(s.out_channels) {}

  std::string layout() const override { return "plain"; }

  void run(const ConvOperands &operands) const override {
    const int64_t channels = blocks(inputs_, kBlockColumns) * kBlockColumns;
    const int64_t filters = blocks(outputs_, kTaskOutputs) * kTaskOutputs;
    const int64_t fitting = kBlockBytes / (36 * (channels + filters) * sizeof(float));
    const int64_t all = tiles_.count(), most = std::min(all, std::max<int64_t>(32, fitting));
    // The tiles of a group of channels follow each other, as the products read them.
    const WinogradLayout image = {most * channels + 32, most * kBlockColumns, kBlockColumns};
    const WinogradLayout gradient = {most * filters + 32, most * kTaskOutputs, kTaskOutputs};
    float *inputs = static_cast<float *>(scratch(kImages, 36 * image.plane * sizeof(float)));
    float *outputs = static_cast<float *>(scratch(kGradients, 36 * gradient.plane * sizeof(float)));
    const int threads = omp_get_max_threads();
    constexpr int64_t own_floats = kTaskOutputs * kSumRow;
    float *sums = static_cast<float *>(scratch(kSums, threads * own_floats * sizeof(float)));
    for (int64_t first = 0; first < all; first += most) {
      const int64_t last = std::min(all, first + most);
#pragma omp parallel num_threads(threads)
      {
        float *own = sums + omp_get_thread_num() * own_floats;
#pragma omp for schedule(dynamic, 4)
        for (int64_t t = first; t < last; t++) {
          winograd_transform_input(tiles_, t, operands.input, inputs_, inputs + (t - first) * image.width, image);
          transform_gradient(t, operands.filter, outputs + (t - first) * gradient.width, gradient);
        }
#pragma omp for schedule(dynamic, 1) collapse(2)
        for (int64_t o = 0; o < outputs_; o += kTaskOutputs) {
          for (int64_t c = 0; c < inputs_; c += kTaskColumns) {
            const int64_t count = std::min(kTaskOutputs, outputs_ - o);
            const float *dy = outputs + gradient.offset(o), *x = inputs + image.offset(c);
            for (int64_t e = 0; e < 36; e++) {
              for (int64_t column = 0; column < std::min(kTaskColumns, channels - c); column += kBlockColumns) {
                multiply(dy + e * gradient.plane, count, x + e * image.plane + image.offset(column),
                         own + e * kTaskColumns + column, last - first);
              }
            }
            write(own, o, count, c, first > 0, operands.output);
          }
        }
      }
    }
  }

 private:
  WinogradTiles tiles_;
  int64_t inputs_, outputs_;

  // The sums over tiles of some outputs by two vectors of channels.
  static void multiply(const float *dy, int64_t outputs, const float *x, float *sums, int64_t tiles) {
    for (int64_t t = 0; t < tiles; t += kDepth) {
      for (int64_t r = 0; r < outputs; r += kBlockRows) {
        multiply_rows(std::min(kBlockRows, outputs - r), Strided{dy + t * kTaskOutputs + r, 1, kTaskOutputs},
                      x + t * kBlockColumns, kBlockColumns, sums + r * kSumRow, kSumRow, std::min(kDepth, tiles - t),
                      t > 0);
      }
    }
  }

  // A y' Aᵀ of one tile.
  void transform_gradient(int64_t index, const float *dy, float *to, const WinogradLayout &layout) const {
    const WinogradTile tile = winograd_tile(tiles_, index);
    for (int64_t o = 0; o < outputs_; o += kLanes) {
      const int64_t count = std::min(kLanes, outputs_ - o);
      Vector pixels[16], rows[24], all[36];
      for (int64_t i = 0; i < 16; i++) {
        const int64_t y = tile.y + i / 4 * tiles_.dilation, x = tile.x + i % 4 * tiles_.dilation;
        const bool inside = y < tiles_.height && x < tiles_.width;
        const float *from = dy + ((tile.image * tiles_.height + y) * tiles_.width + x) * outputs_ + o;
        pixels[i] = !inside ? Vector{} : count == kLanes ? load(from) : load_part(from, count);
      }
      for (int i = 0; i < 4; i++) winograd_transform<true>(kMatrices.output, pixels + i, 4, rows + i, 4);
      for (int i = 0; i < 6; i++) winograd_transform<true>(kMatrices.output, rows + 4 * i, 1, all + 6 * i, 1);
      for (int i = 0; i < 36; i++) store(to + i * layout.plane + layout.offset(o), all[i]);
    }
  }

  void write(const float *sums, int64_t output, int64_t count, int64_t channel, bool add, float *filter) const {
    for (int64_t r = 0; r < count; r++) {
      for (int64_t column = 0; column < kTaskColumns; column += kLanes) {
        const int64_t c = channel + column, width = std::min(kLanes, inputs_ - c);
        if (width <= 0) break;
        Vector all[36], rows[18], taps[9];
        for (int64_t e = 0; e < 36; e++) all[e] = load(sums + r * kSumRow + e * kTaskColumns + column);
        for (int i = 0; i < 6; i++) winograd_transform<true>(kMatrices.filter, all + i, 6, rows + i, 6);
        for (int i = 0; i < 3; i++) winograd_transform<true>(kMatrices.filter, rows + 6 * i, 1, taps + 3 * i, 1);
        for (int64_t t = 0; t < 9; t++) {
          float *to = filter + ((output + r) * 9 + t) * inputs_ + c;
          store_part(to, add ? taps[t] + load_part(to, width) : taps[t], width);
        }
      }
    }
  }
};

}  // namespace

std::unique_ptr<OwnConvolution> make_winograd_weight_gradient(const ConvShape &s) {
  if (!winograd_fits(s)) return nullptr;
  return std::make_unique<WinogradWeightGradient>(s);
}

}  // namespace siamban
