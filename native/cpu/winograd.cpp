// Convolution by 3 x 3 filters with stride 1 through Winograd's F(4 x 4, 3 x 3) (winograd_matrices.hpp), and the
// gradient by x, which is the same with the filter's taps and sides turned.
//
// Tiles are taken in blocks, whose inputs are transformed to 36 matrices [tiles][channels]. A task has some panels of
// outputs, each two vectors wide. It transforms a panel's filter for 256 channels into memory of its own
// (winograd_filter.hpp), multiplies the 36 matrices, and goes on with the next panel, so that the inputs of
// these channels stay in the caches; after the last channels it transforms its sums back, with scale, bias,
// residual and activation fused.

#include "winograd.hpp"

#include <omp.h>

#include <algorithm>

#include "finish.hpp"
#include "gemm_block.hpp"
#include "native.hpp"
#include "scratch.hpp"
#include "winograd_filter.hpp"
#include "winograd_matrices.hpp"

namespace siamban {

namespace {

constexpr WinogradMatrices kMatrices;
// Tiles of a block: enough rows for each part of the filter that is made, few enough for the caches.
constexpr int64_t kBlockTiles = 264;
// Channels of a part of the filter: 1.2 MB with AVX-512, 0.6 MB with AVX2.
constexpr int64_t kDepth = 256;
constexpr int64_t kFilterPlane = kDepth * kBlockColumns + 32;
// Panels of a task, unless more threads want some.
constexpr int64_t kMostPanels = 8;

int64_t blocks(int64_t count, int64_t size) { return (count + size - 1) / size; }

class Winograd : public OwnConvolution {
 public:
  explicit Winograd(const ConvShape &s)
      : turned_(s.direction == kBackwardInput),
        tiles_(winograd_tiles(s)),
        inputs_(turned_ ? s.out_channels : s.channels),
        outputs_(turned_ ? s.channels : s.out_channels),
        panels_(blocks(outputs_, kBlockColumns)),
        activation_(s.activation),
        filter_(turned_, outputs_, inputs_) {}

  std::string layout() const override { return "plain"; }

  bool scales() const override { return true; }

  void run(const ConvOperands &operands) const override {
    const Blocking b = blocking(omp_get_max_threads());
    const int64_t own = 36 * (kFilterPlane + b.sum_plane);
    float *inputs = static_cast<float *>(scratch(kImages, 36 * b.in_plane * sizeof(float)));
    float *working = static_cast<float *>(scratch(kSums, b.threads * own * sizeof(float)));
#pragma omp parallel num_threads(b.threads)
    for (int64_t block = 0; block < b.blocks; block++) {
      const int64_t first = tiles_.count() * block / b.blocks, count = tiles_.count() * (block + 1) / b.blocks - first;
#pragma omp for schedule(dynamic, 4)
      for (int64_t t = 0; t < count; t++) {
        winograd_transform_input(tiles_, first + t, operands.input, inputs_, inputs + t * b.in_row,
                                 {b.in_plane, b.in_row, b.in_row});
      }
      float *filter = working + omp_get_thread_num() * own;
      const Matrices sums = {filter + 36 * kFilterPlane, b.sum_row, b.sum_plane};
#pragma omp for schedule(dynamic, 1) collapse(2)
      for (int64_t panel = 0; panel < panels_; panel += b.group) {
        for (int64_t share = 0; share < b.shares; share++) {
          const int64_t t = count * share / b.shares, tiles = count * (share + 1) / b.shares - t;
          convolve({first + t, tiles, panel, std::min(b.group, panels_ - panel)},
                   {inputs + t * b.in_row, b.in_row, b.in_plane}, filter, sums, operands);
        }
      }
    }
  }

 private:
  // How the work is cut: blocks of tiles one after another; of each, groups of panels by shares of tiles.
  struct Blocking {
    int64_t threads, blocks, group, shares;
    int64_t in_row, in_plane, sum_row, sum_plane;
  };
  // What one thread does at a time.
  struct Task {
    int64_t tile, tiles, panel, panels;
  };
  // 36 of them, `plane` floats apart.
  struct Matrices {
    float *data;
    int64_t row, plane;
  };

  bool turned_;
  WinogradTiles tiles_;
  int64_t inputs_, outputs_, panels_, activation_;
  WinogradFilter filter_;

  // Two groups a thread; where there are not so many panels, threads share out the tiles as well.
  Blocking blocking(int64_t threads) const {
    const int64_t parts = blocks(tiles_.count(), kBlockTiles), most = blocks(tiles_.count(), parts);
    const int64_t group = std::clamp<int64_t>(panels_ / (2 * threads), 1, kMostPanels);
    const int64_t shares = std::max<int64_t>(1, threads / blocks(panels_, group));
    const int64_t in_row = winograd_row(inputs_), sum_row = group * kBlockColumns;
    return {threads, parts, group, shares, in_row, most * in_row + 32, sum_row, blocks(most, shares) * sum_row + 32};
  }

  void convolve(const Task &task, const Matrices &image, float *filter, const Matrices &sums,
                const ConvOperands &operands) const {
    const int64_t count = blocks(inputs_, kDepth) * task.panels;
    for (int64_t i = 0; i < count; i++) {
      const WinogradFilter::Part part = part_of(task, i);
      filter_.transform(operands.filter, part, filter, kFilterPlane);
      const int64_t column = (part.panel - task.panel) * kBlockColumns;
      for (int64_t e = 0; e < 36; e++) {
        multiply({image.data + e * image.plane + part.input, image.row, 1}, filter + e * kFilterPlane, part.inputs,
                 sums.data + e * sums.plane + column, sums.row, task.tiles, part.input > 0);
      }
    }
    for (int64_t t = 0; t < task.tiles; t++) {
      for (int64_t o = 0; o < task.panels * kBlockColumns; o += kLanes) {
        transform_output(task.tile + t, task.panel * kBlockColumns + o, sums.data + t * sums.row + o, sums.plane,
                         operands);
      }
    }
  }

  // The panels of some channels after each other, then the next channels.
  WinogradFilter::Part part_of(const Task &task, int64_t index) const {
    const int64_t input = index / task.panels * kDepth;
    return {task.panel + index % task.panels, input, std::min(kDepth, inputs_ - input)};
  }

  static void multiply(Strided a, const float *b, int64_t depth, float *c, int64_t c_row, int64_t count, bool add) {
    for (int64_t r = 0; r < count; r += kBlockRows) {
      multiply_rows(std::min(kBlockRows, count - r), Strided{a.data + r * a.row, a.row, 1}, b, kBlockColumns,
                    c + r * c_row, c_row, depth, add);
    }
  }

  // Aᵀ sums A of one tile and a vector of outputs.
  void transform_output(int64_t index, int64_t output, const float *sums, int64_t plane,
                        const ConvOperands &operands) const {
    const int64_t count = std::min(kLanes, outputs_ - output);
    if (count <= 0) return;
    const WinogradTile tile = winograd_tile(tiles_, index);
    Vector all[36], rows[24], y[16];
    for (int64_t e = 0; e < 36; e++) all[e] = load(sums + e * plane);
    for (int i = 0; i < 6; i++) winograd_transform(kMatrices.output, all + i, 6, rows + i, 6);
    for (int i = 0; i < 4; i++) winograd_transform(kMatrices.output, rows + 6 * i, 1, y + 4 * i, 1);
    const Vector bias = operands.bias ? load_part(operands.bias + output, count) : Vector{};
    const Vector scale = operands.scale ? load_part(operands.scale + output, count) : 1.f - Vector{};
    for (int64_t i = 0; i < 16; i++) {
      const int64_t oy = tile.y + i / 4 * tiles_.dilation, ox = tile.x + i % 4 * tiles_.dilation;
      if (oy >= tiles_.height || ox >= tiles_.width) continue;
      const int64_t at = ((tile.image * tiles_.height + oy) * tiles_.width + ox) * outputs_ + output;
      finish(y[i] * scale + bias, operands.output + at, operands.residual ? operands.residual + at : nullptr,
             activation_, count);
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
    for (int i = 0; i < 6; i++) winograd_transform(kMatrices.input, pixels + i, 6, rows + i, 6);
    for (int i = 0; i < 6; i++) winograd_transform(kMatrices.input, rows + 6 * i, 1, all + 6 * i, 1);
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
