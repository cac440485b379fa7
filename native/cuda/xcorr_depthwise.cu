// Depthwise cross-correlation of one feature map with another, image by image and channel by
// channel:
//
//   y[b, i, j, c] = Σ_uv x[b, i + u − p, j + v − p, c] · z[b, u, v, c],   z turned by 180 degrees
//   where asked.
//
// The forward pass (5 x 5 taps, 25 x 25 outputs), the gradient by x (5 x 5 taps turned, p = 4) and
// the gradient by z (25 x 25 taps, 5 x 5 outputs) are all this one form. All maps are NHWC.
//
// Blocking. A block takes one image, LANES neighbouring channels (32 bytes of a pixel, the unit in
// which memory is read) and a band of output rows. It copies its slice of x, framed with zeros, and
// of z into shared memory, by 16-byte copies that are all in flight at once, so that x and z are
// read from memory once and y is written once: for the sizes above and float32 that is (29 · 29 + 5
// · 5 + 25 · 25) · 4 = 5964 bytes a channel against 31 250 floating-point operations, below the
// ratio at which arithmetic would bind. A slice of 29 x 29 takes 27 KB and a thread 80 registers,
// so six blocks share one multiprocessor of 228 KB: of a training batch (28 images, 256 channels:
// 896 blocks) 792 are resident on 132 multiprocessors, and the others load while these compute.
//
// A thread holds TILE_H x TILE_W outputs of one channel in registers and walks over the taps with a
// sliding window of x: each tap costs TILE_H + 1 reads of shared memory for TILE_H · TILE_W
// multiply-adds, 6 for 25, which is where both units are busy for the same time. The threads of a
// warp take LANES channels of neighbouring tiles; TILE_W and the staged columns are odd, so that
// their reads fall into different banks.
//
// Where there are more threads than tiles (the gradient by z), the rows of taps are dealt out to
// them in turn, neighbouring rows to neighbours (different banks again), and the parts are summed
// in a fixed order at the end. Where a slice does not fit, the taps are taken in chunks of rows;
// what does not fit even so goes to xcorr_depthwise_plain.

#include "common.cuh"

#ifndef TILE_H
#define TILE_H 5
#endif
#ifndef TILE_W
#define TILE_W 5
#endif

using namespace siamban;

namespace {

constexpr int kLanes = 32 / static_cast<int>(sizeof(Element));
constexpr int kGranule = kWide<Element>;
constexpr int kGranules = kLanes / kGranule;
constexpr int kTileH = TILE_H, kTileW = TILE_W, kOutputs = kTileH * kTileW;

// A thread's outputs.
struct Sums {
  float at[kTileH][kTileW];
  __device__ inline void clear() {
#pragma unroll
    for (int i = 0; i < kTileH; i++) {
#pragma unroll
      for (int j = 0; j < kTileW; j++) at[i][j] = 0.f;
    }
  }
};

struct Shape {
  int height, width, channels;
};

// Copies rows [first_row, first_row + rows) of `columns` pixels, LANES channels each, to dense
// shared memory; pixel (0, 0) of the map is at row and column `padding`, and what lies outside is
// 0.
__device__ inline void stage(const Element *map, Shape shape, int channel, int first_row, int rows,
                             int columns, int padding, bool aligned, Element *to) {
  const int row_granules = columns * kGranules;
  const int warps = blockDim.x / 32, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  for (int row = warp; row < rows; row += warps) {
    const int h = first_row + row - padding;
    const bool inside_row = h >= 0 && h < shape.height;
    for (int g = lane; g < row_granules; g += 32) {
      const int w = g / kGranules - padding, c = channel + g % kGranules * kGranule;
      Element *granule = to + (static_cast<Index>(row) * row_granules + g) * kGranule;
      const bool inside = inside_row && w >= 0 && w < shape.width;
      const Element *from =
          map +
          (static_cast<Index>(inside ? h : 0) * shape.width + (inside ? w : 0)) * shape.channels +
          c;
      if (inside && aligned && c < shape.channels) {
        copy_16_bytes(granule, from);
        continue;
      }
#pragma unroll
      for (int k = 0; k < kGranule; k++) {
        granule[k] = inside && c + k < shape.channels ? from[k] : from_float<Element>(0.f);
      }
    }
  }
}

__device__ inline const Element *tap(const Element *z, int u, int v, int width) {
  return z + (u * width + v) * kLanes;
}

// Adds every `step`-th row of taps in [first, last) to one tile; `x` is the tile's corner for tap
// row 0.
__device__ inline void correlate(const Element *x, const Element *z, int first, int last, int step,
                                 int width, int pitch, int z_step, Sums &sums) {
  for (int u = first; u < last; u += step) {
    const Element *rows = x + u * pitch * kLanes;
    const Element *taps = z_step > 0 ? tap(z, u, 0, width) : tap(z, -u, width - 1, width);
    float window[kTileH][kTileW];
#pragma unroll
    for (int i = 0; i < kTileH; i++) {
#pragma unroll
      for (int j = 0; j < kTileW - 1; j++) {
        window[i][j + 1] = to_float(rows[(i * pitch + j) * kLanes]);
      }
    }
#pragma unroll kTileW
    for (int v = 0; v < width; v++) {
      const float factor = to_float(taps[v * z_step * kLanes]);
#pragma unroll
      for (int i = 0; i < kTileH; i++) {
#pragma unroll
        for (int j = 0; j < kTileW - 1; j++) window[i][j] = window[i][j + 1];
        window[i][kTileW - 1] = to_float(rows[(i * pitch + v + kTileW - 1) * kLanes]);
#pragma unroll
        for (int j = 0; j < kTileW; j++) sums.at[i][j] += window[i][j] * factor;
      }
    }
  }
}

// One channel of the output map.
struct Output {
  Element *y;
  int height, width, channels;
  bool has_channel;
  __device__ inline void write(int h, int w, float value) const {
    if (!has_channel || h >= height || w >= width) return;
    y[(static_cast<Index>(h) * width + w) * channels] = from_float<Element>(value);
  }
};

__device__ inline void write_tile(const Output &out, int row, int column, const Sums &sums) {
#pragma unroll
  for (int i = 0; i < kTileH; i++) {
#pragma unroll
    for (int j = 0; j < kTileW; j++) out.write(row + i, column + j, sums.at[i][j]);
  }
}

// Adds up the parts of each tile, one thread group a part, through shared memory.
__device__ inline void write_parts(const Output &out, int first_row, int tiles, int tiles_across,
                                   int splits, const Sums &sums, float *parts) {
  const int lane = threadIdx.x % kLanes, group = threadIdx.x / kLanes, groups = blockDim.x / kLanes;
  __syncthreads();  // what was staged is no longer read
  if (group < tiles * splits) {
#pragma unroll
    for (int k = 0; k < kOutputs; k++) {
      parts[(group * kOutputs + k) * kLanes + lane] = sums.at[k / kTileW][k % kTileW];
    }
  }
  __syncthreads();
  for (int output = group; output < tiles * kOutputs; output += groups) {
    const int tile = output / kOutputs, at = output % kOutputs;
    float sum = 0.f;
    for (int split = 0; split < splits; split++) {
      sum += parts[((split * tiles + tile) * kOutputs + at) * kLanes + lane];
    }
    out.write(first_row + tile / tiles_across * kTileH + at / kTileW,
              tile % tiles_across * kTileW + at % kTileW, sum);
  }
}

}  // namespace

// Grid: (slices of kLanes channels, bands, images); blocks of a multiple of 32 threads.
//
// `band`: output rows a block, a multiple of kTileH. `columns`: staged columns, at least tiles
// across · kTileW + kernel_width − 1. `chunk`: tap rows staged at a time; all of them, unless every
// tile of a band has threads of its own. `splits`: thread groups that share the tap rows of a tile;
// above 1 every (tile, split) has threads of its own. `aligned`: whether rows of channels start at
// multiples of 16 bytes. Shared memory: the tile of x, (band + chunk − 1) · columns pixels, and
// chunk · kernel_width of z, kLanes elements each; with parts to add up at least tiles · splits ·
// kOutputs · kLanes floats.
extern "C" __global__ void __launch_bounds__(128, 6)
    xcorr_depthwise(const Element *__restrict__ x, const Element *__restrict__ z,
                    Element *__restrict__ y, int height, int width, int channels, int kernel_height,
                    int kernel_width, int out_height, int out_width, int padding, int flip,
                    int band, int columns, int chunk, int splits, int aligned) {
  extern __shared__ __align__(16) unsigned char shared_bytes[];
  Element *x_tile = reinterpret_cast<Element *>(shared_bytes);
  Element *z_tile = x_tile + (band + chunk - 1) * columns * kLanes;

  const int channel = blockIdx.x * kLanes, lane = threadIdx.x % kLanes;
  const int first_row = blockIdx.y * band;
  const Index image = blockIdx.z;
  const Shape x_shape = {height, width, channels},
              z_shape = {kernel_height, kernel_width, channels};
  x += image * height * width * channels;
  z += image * kernel_height * kernel_width * channels;
  const Output out = {y + image * out_height * out_width * channels + channel + lane, out_height,
                      out_width, channels, channel + lane < channels};

  const int groups = blockDim.x / kLanes, group = threadIdx.x / kLanes;
  const int tiles_across = (out_width + kTileW - 1) / kTileW, tiles = band / kTileH * tiles_across;
  const bool whole = chunk >= kernel_height && splits == 1;
  Sums sums;
  sums.clear();
  for (int start = 0; start < kernel_height; start += chunk) {
    const int rows = min(chunk, kernel_height - start);
    if (start > 0) __syncthreads();  // before what others still read is overwritten
    stage(x, x_shape, channel, first_row + start, band + rows - 1, columns, padding, aligned,
          x_tile);
    // A turned template is read backwards, so its first taps are the last rows of the map.
    stage(z, z_shape, channel, flip ? kernel_height - start - rows : start, rows, kernel_width, 0,
          aligned, z_tile);
    wait_for_copies();
    __syncthreads();
    const Element *taps = (flip ? tap(z_tile, rows - 1, 0, kernel_width) : z_tile) + lane;
    for (int item = group; item < tiles * splits; item += groups) {
      const int tile = item % tiles, split = item / tiles;
      const int row = tile / tiles_across * kTileH, column = tile % tiles_across * kTileW;
      correlate(x_tile + (row * columns + column) * kLanes + lane, taps, split, rows, splits,
                kernel_width, columns, flip ? -1 : 1, sums);
      if (!whole) continue;
      write_tile(out, first_row + row, column, sums);
      sums.clear();
    }
  }
  if (whole) return;
  write_parts(out, first_row, tiles, tiles_across, splits, sums,
              reinterpret_cast<float *>(shared_bytes));
}

// A thread an output, straight from global memory: for what no block's shared memory holds.
extern "C" __global__ void xcorr_depthwise_plain(const Element *__restrict__ x,
                                                 const Element *__restrict__ z,
                                                 Element *__restrict__ y, int batch, int height,
                                                 int width, int channels, int kernel_height,
                                                 int kernel_width, int out_height, int out_width,
                                                 int padding, int flip) {
  const Index size = static_cast<Index>(batch) * out_height * out_width * channels;
  const int taps = kernel_height * kernel_width;
  for (Index at = grid_thread(); at < size; at += grid_size()) {
    const int c = static_cast<int>(at % channels);
    const Index pixel = at / channels;
    const int j = static_cast<int>(pixel % out_width);
    const int i = static_cast<int>(pixel / out_width % out_height);
    const Index b = pixel / out_width / out_height;
    const Element *image = x + b * height * width * channels + c;
    const Element *filter = z + b * taps * channels + c;
    float sum = 0.f;
    for (int t = 0; t < taps; t++) {
      const int h = i + t / kernel_width - padding, w = j + t % kernel_width - padding;
      if (h < 0 || h >= height || w < 0 || w >= width) continue;
      const int from = flip ? taps - 1 - t : t;
      sum += to_float(image[(static_cast<Index>(h) * width + w) * channels]) *
             to_float(filter[static_cast<Index>(from) * channels]);
    }
    y[at] = from_float<Element>(sum);
  }
}
