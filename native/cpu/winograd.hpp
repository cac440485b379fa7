// See winograd.cpp and winograd_weight_gradient.cpp.
#pragma once

#include "own_convolution.hpp"
#include "vector.hpp"

namespace siamban {

// 4 x 4 outputs a tile. A dilated convolution is d² interleaved ones without dilation: the tiles of each
// step d pixels at a time.
struct WinogradTiles {
  int64_t batch, height, width;          // of the outputs
  int64_t in_height, in_width, dilation;
  int64_t top, left;                     // padding
  int64_t grid_rows, grid_columns;       // tiles of one of the d² grids

  int64_t count() const { return batch * dilation * dilation * grid_rows * grid_columns; }
};

// Image and first output of one tile; outputs and inputs lie `dilation` apart.
struct WinogradTile {
  int64_t image, y, x;
};

WinogradTiles winograd_tiles(const ConvShape &shape);
WinogradTile winograd_tile(const WinogradTiles &tiles, int64_t index);

// Where the 36 numbers of a channel go: matrices `plane` floats apart, groups of `width` channels `panel` apart.
struct WinogradLayout {
  int64_t plane, panel, width;

  int64_t offset(int64_t channel) const { return channel / width * panel + channel % width; }
};

// Bᵀ x B of one tile; channels up to the next full vector become zeros.
void winograd_transform_input(const WinogradTiles &tiles, int64_t index, const float *x, int64_t channels,
                              float *to, const WinogradLayout &layout);

// Rows and planes off multiples of 4 KB, so that neighbours do not fall into one set of the cache.
inline int64_t winograd_row(int64_t channels) {
  const int64_t whole = (channels + 31) / 32 * 32;
  return whole % 512 == 0 ? whole + 32 : whole;
}

// Whether a convolution is of the kind, and wide enough to gain.
bool winograd_fits(const ConvShape &shape);

std::unique_ptr<OwnConvolution> make_winograd(const ConvShape &shape);
std::unique_ptr<OwnConvolution> make_winograd_weight_gradient(const ConvShape &shape);

}  // namespace siamban
