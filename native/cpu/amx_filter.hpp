// Filters as matrix tiles, in the order in which products read them.
#pragma once

#include <string>

#include "amx_tiles.hpp"
#include "conv_shape.hpp"
#include "native.hpp"
#include "split_floats.hpp"

#ifdef SIAMBAN_AMX

namespace siamban {

// Whether a pass that reads a filter can take this way, with tiles that are not mostly empty.
inline bool amx_filter_fits(const ConvShape &s) {
  return s.parts >= 2 && s.groups == 1 && s.channels >= 16 && s.out_channels >= 16 && s.activation != kHardSwish &&
         amx_usable();
}

// An OHWI filter with `taps` = HW; turned, its own outputs are what is summed over, its taps go backwards.
struct FilterShape {
  int64_t inputs, outputs, taps;
  bool turned;

  std::string layout(int64_t parts) const {
    std::string text = "amx";
    for (int64_t number : {parts, int64_t(turned), outputs, taps, inputs}) text += " " + std::to_string(number);
    return text;
  }

  int64_t output_pairs() const { return blocks(outputs, 32); }
  int64_t depth_blocks() const { return blocks(inputs, kTileDepth); }
};

template <int parts>
int64_t packed_filter_floats(const FilterShape &shape) {
  return shape.output_pairs() * shape.depth_blocks() * shape.taps * 2 * parts * kTileFloats;
}

// Tiles [32 outputs][32 inputs][tap][16 outputs][part]: 16 rows of pairs of inputs, 16 outputs each.
template <int parts>
void pack_filter(const FilterShape &shape, const float *filter, float *packed) {
  char *to = reinterpret_cast<char *>(packed);
  auto pack_plain = [&](int64_t output, int64_t tap, int64_t input, char *tile) {
    Parts<parts> rows[16] = {};
    for (int64_t i = 0; i < 16 && output + i < shape.outputs; i++) {
      const float *row = filter + ((output + i) * shape.taps + tap) * shape.inputs + input;
      rows[i] = split_row<parts>(row, shape.inputs - input);
    }
    store_transposed(rows, tile, kTileBytes);
  };
  auto pack_turned = [&](int64_t output, int64_t tap, int64_t input, char *tile) {
    auto row = [&](int64_t i) {
      const bool exists = i < shape.inputs && output < shape.outputs;
      return exists ? filter + (i * shape.taps + tap) * shape.outputs + output : nullptr;
    };
    for (int64_t i = 0; i < 16; i++) {
      const int64_t from = input + 2 * i;
      store(split_pairs<parts>(row(from), row(from + 1), shape.outputs - output), tile + 64 * i, kTileBytes);
    }
  };
#pragma omp parallel for schedule(static) collapse(2)
  for (int64_t pair = 0; pair < shape.output_pairs(); pair++) {
    for (int64_t q = 0; q < shape.depth_blocks(); q++) {
      char *tile = to + (pair * shape.depth_blocks() + q) * shape.taps * 2 * parts * kTileBytes;
      for (int64_t t = 0; t < shape.taps; t++) {
        for (int64_t half = 0; half < 2; half++, tile += parts * kTileBytes) {
          const int64_t output = pair * 32 + half * 16;
          shape.turned ? pack_turned(output, shape.taps - 1 - t, q * kTileDepth, tile)
                       : pack_plain(output, t, q * kTileDepth, tile);
        }
      }
    }
  }
}

}  // namespace siamban

#endif
