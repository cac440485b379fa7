// Convolution by 3 x 3 filters with stride 1 through Winograd's F(4 x 4, 3 x 3) (winograd_matrices.hpp), and the
// gradient by x, which is the same with the filter's taps and sides turned.
//
// Tiles are taken in blocks: their inputs are transformed to 36 matrices [tiles][channels], multiplied by
// the 36 matrices [channels][outputs] of the packed filter, and transformed back with bias, residual and
// activation fused. The filter is packed as [36][32 or 16 outputs][channels][outputs], in the order in which the
// product reads it. The product goes by 256 channels, whose part of the filter stays in the first cache.

#include "winograd.hpp"

#include <omp.h>

#include <algorithm>
#include <stdexcept>

#include "gemm_block.hpp"
#include "native.hpp"
#include "scratch.hpp"
#include "transpose.hpp"
#include "winograd_matrices.hpp"

namespace siamban {

namespace {

constexpr WinogradMatrices kMatrices;
// Tiles of a block: enough rows for each part of the filter that is read, few enough for the caches.
constexpr int64_t kBlockTiles = 240;
constexpr int64_t kDepth = 256;

int64_t blocks(int64_t count, int64_t size) { return (count + size - 1) / size; }

// to[i] = Σ m[i][j] from[j], each a vector `from_step` or `to_step` floats after the one before.
template <int rows, int columns>
inline void transform(const float (&m)[rows][columns], const Vector *from, int from_step, Vector *to,
                      int to_step) {
#pragma GCC unroll 6
  for (int i = 0; i < rows; i++) {
    Vector sum = {};
#pragma GCC unroll 6
    for (int j = 0; j < columns; j++) {
      if (m[i][j] != 0) sum += m[i][j] * from[j * from_step];
    }
    to[i * to_step] = sum;
  }
}

class Winograd : public OwnConvolution {
 public:
  explicit Winograd(const ConvShape &s) : turned_(s.direction == kBackwardInput), tiles_(winograd_tiles(s)) {
    inputs_ = turned_ ? s.out_channels : s.channels;
    outputs_ = turned_ ? s.channels : s.out_channels;
    panels_ = blocks(outputs_, kBlockColumns);
    activation_ = s.activation;
  }

  std::string layout() const override {
    return "winograd " + std::to_string(turned_) + " " + std::to_string(outputs_) + " " + std::to_string(inputs_);
  }

  int64_t packed_floats() const override { return 36 * panels_ * inputs_ * kBlockColumns; }

  // G g Gᵀ of each pair of input and output.
  void pack(const float *filter, float *packed) const override {
    if (reinterpret_cast<uintptr_t>(packed) % sizeof(Vector) != 0) {
      throw std::invalid_argument("the memory for a packed filter is not aligned to a vector");
    }
#pragma omp parallel for schedule(static) collapse(2)
    for (int64_t panel = 0; panel < panels_; panel++) {
      for (int64_t c = 0; c < inputs_; c += kLanes) pack_square(filter, panel, c, packed);
    }
  }

  void run(const ConvOperands &operands) const override {
    const int64_t all = tiles_.count(), most = std::min(all, kBlockTiles);
    const int64_t in_row = winograd_row(inputs_), out_row = winograd_row(outputs_);
    const int64_t in_plane = most * in_row + 32, out_plane = most * out_row + 32;
    float *inputs = static_cast<float *>(scratch(kImages, 36 * in_plane * sizeof(float)));
    float *outputs = static_cast<float *>(scratch(kSums, 36 * out_plane * sizeof(float)));
    for (int64_t first = 0; first < all; first += most) {
      const int64_t last = std::min(all, first + most), count = last - first;
#pragma omp parallel
      {
#pragma omp for schedule(dynamic, 4)
        for (int64_t t = first; t < last; t++) {
          winograd_transform_input(tiles_, t, operands.input, inputs_, inputs + (t - first) * in_row,
                                   {in_plane, in_row, in_row});
        }
#pragma omp for schedule(dynamic, 1) collapse(2)
        for (int64_t e = 0; e < 36; e++) {
          for (int64_t p = 0; p < panels_; p++) {
            multiply(inputs + e * in_plane, in_row, operands.filter + (e * panels_ + p) * inputs_ * kBlockColumns,
                     outputs + e * out_plane + p * kBlockColumns, out_row, count);
          }
        }
#pragma omp for schedule(dynamic, 4)
        for (int64_t t = first; t < last; t++) {
          transform_output(t, outputs + (t - first) * out_row, out_plane, operands);
        }
      }
    }
  }

 private:
  bool turned_;
  WinogradTiles tiles_;
  int64_t inputs_, outputs_, panels_, activation_;

  // The outputs of a panel for a vector of inputs. Both halves of a panel's row go to memory together, past the
  // caches: packed filters are four times as large as filters, and reading what they overwrite doubles the time.
  void pack_square(const float *filter, int64_t panel, int64_t input, float *packed) const {
    const int64_t plane = panels_ * inputs_ * kBlockColumns;
    Vector taps[2][9][kLanes];
    for (int64_t half = 0; half < 2; half++) {
      for (int64_t t = 0; t < 9; t++) gather(filter, panel * kBlockColumns + half * kLanes, t, input, taps[half][t]);
    }
    float *to = packed + (panel * inputs_ + input) * kBlockColumns;
    for (int64_t i = 0; i < std::min(kLanes, inputs_ - input); i++, to += kBlockColumns) {
      Vector rows[18], all[2][36];
      for (int64_t half = 0; half < 2; half++) {
        for (int j = 0; j < 3; j++) transform(kMatrices.filter, &taps[half][j][i], 3 * kLanes, rows + j, 3);
        for (int j = 0; j < 6; j++) transform(kMatrices.filter, rows + 3 * j, 1, all[half] + 6 * j, 1);
      }
      for (int64_t e = 0; e < 36; e++) {
        stream(to + e * plane, all[0][e]);
        stream(to + e * plane + kLanes, all[1][e]);
      }
    }
    finish_streams();
  }

  // One tap, from OHWI: a vector of outputs for each of some inputs; those that there are not are zeros.
  void gather(const float *filter, int64_t output, int64_t tap, int64_t input, Vector (&to)[kLanes]) const {
    const int64_t outputs = std::min(kLanes, outputs_ - output), inputs = std::min(kLanes, inputs_ - input);
    for (int64_t i = 0; i < kLanes; i++) {
      const int64_t lanes = turned_ ? i < inputs ? outputs : 0 : i < outputs ? inputs : 0;
      const float *from = turned_ ? filter + ((input + i) * 9 + 8 - tap) * outputs_ + output
                                  : filter + ((output + i) * 9 + tap) * inputs_ + input;
      to[i] = lanes <= 0 ? Vector{} : lanes == kLanes ? load(from) : load_part(from, lanes);
    }
    if (!turned_) transpose(to);
  }

  void multiply(const float *a, int64_t a_row, const float *b, float *c, int64_t c_row, int64_t count) const {
    for (int64_t k = 0; k < inputs_; k += kDepth) {
      const int64_t depth = std::min(kDepth, inputs_ - k);
      for (int64_t r = 0; r < count; r += kBlockRows) {
        multiply_rows(std::min(kBlockRows, count - r), Strided{a + r * a_row + k, a_row, 1},
                      b + k * kBlockColumns, kBlockColumns, c + r * c_row, c_row, depth, k > 0);
      }
    }
  }

  void transform_output(int64_t index, const float *from, int64_t plane, const ConvOperands &operands) const {
    const WinogradTile tile = winograd_tile(tiles_, index);
    for (int64_t o = 0; o < outputs_; o += kLanes) {
      const int64_t count = std::min(kLanes, outputs_ - o);
      Vector all[36], rows[24], y[16];
      for (int64_t e = 0; e < 36; e++) all[e] = load(from + e * plane + o);
      for (int i = 0; i < 6; i++) transform(kMatrices.output, all + i, 6, rows + i, 6);
      for (int i = 0; i < 4; i++) transform(kMatrices.output, rows + 6 * i, 1, y + 4 * i, 1);
      const Vector bias = operands.bias ? load_part(operands.bias + o, count) : Vector{};
      for (int64_t i = 0; i < 16; i++) {
        const int64_t oy = tile.y + i / 4 * tiles_.dilation, ox = tile.x + i % 4 * tiles_.dilation;
        if (oy >= tiles_.height || ox >= tiles_.width) continue;
        const int64_t at = ((tile.image * tiles_.height + oy) * tiles_.width + ox) * outputs_ + o;
        Vector value = y[i] + bias;
        if (operands.residual) value += load_part(operands.residual + at, count);
        for (int64_t l = 0; l < kLanes; l++) value[l] = activate(value[l], activation_);
        count == kLanes ? store(operands.output + at, value) : store_part(operands.output + at, value, count);
      }
    }
  }
};

}  // namespace

WinogradTiles winograd_tiles(const ConvShape &s) {
  const bool turned = s.direction == kBackwardInput;
  const int64_t d = s.dilation, reach = 2 * d;
  WinogradTiles tiles = {s.batch,
                         turned ? s.height : s.out_height,
                         turned ? s.width : s.out_width,
                         turned ? s.out_height : s.height,
                         turned ? s.out_width : s.width,
                         d,
                         turned ? reach - s.padding : s.padding,
                         turned ? reach - s.padding : s.padding,
                         0,
                         0};
  tiles.grid_rows = blocks(blocks(tiles.height, d), 4);
  tiles.grid_columns = blocks(blocks(tiles.width, d), 4);
  return tiles;
}

WinogradTile winograd_tile(const WinogradTiles &t, int64_t index) {
  const int64_t column = index % t.grid_columns, row = index / t.grid_columns % t.grid_rows;
  const int64_t grid = index / (t.grid_columns * t.grid_rows), d = t.dilation;
  return {grid / (d * d), grid / d % d + 4 * d * row, grid % d + 4 * d * column};
}

void winograd_transform_input(const WinogradTiles &tiles, int64_t index, const float *x, int64_t channels,
                              float *to, const WinogradLayout &layout) {
  const int64_t d = tiles.dilation;
  const WinogradTile tile = winograd_tile(tiles, index);
  const float *from[36];
  for (int64_t i = 0; i < 36; i++) {
    const int64_t iy = tile.y - tiles.top + i / 6 * d, ix = tile.x - tiles.left + i % 6 * d;
    const bool inside = iy >= 0 && iy < tiles.in_height && ix >= 0 && ix < tiles.in_width;
    from[i] = inside ? x + ((tile.image * tiles.in_height + iy) * tiles.in_width + ix) * channels : nullptr;
  }
  for (int64_t c = 0; c < channels; c += kLanes) {
    const int64_t count = std::min(kLanes, channels - c), at = layout.offset(c);
    Vector pixels[36], rows[36], all[36];
    for (int i = 0; i < 36; i++) {
      pixels[i] = !from[i]          ? Vector{}
                  : count == kLanes ? load(from[i] + c)
                                    : load_part(from[i] + c, count);
    }
    for (int i = 0; i < 6; i++) transform(kMatrices.input, pixels + i, 6, rows + i, 6);
    for (int i = 0; i < 6; i++) transform(kMatrices.input, rows + 6 * i, 1, all + 6 * i, 1);
    for (int i = 0; i < 36; i++) store(to + i * layout.plane + at, all[i]);
  }
}

bool winograd_fits(const ConvShape &s) {
  return s.winograd && s.kernel_height == 3 && s.kernel_width == 3 && s.stride == 1 && s.groups == 1 &&
         s.channels >= 32 && s.out_channels >= 32 && s.padding <= 2 * s.dilation;
}

std::unique_ptr<OwnConvolution> make_winograd(const ConvShape &s) {
  if (!winograd_fits(s)) return nullptr;
  return std::make_unique<Winograd>(s);
}

}  // namespace siamban
