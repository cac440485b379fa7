// G g Gᵀ for part of a filter: [36][panel of two vectors of outputs][input][outputs], in the order in which
// the product reads it.
//
// A transformed filter is four times as large as the filter, 300 MB for one of 1024 channels to 2048, so none is kept:
// each use transforms it anew, a square of outputs by inputs at a time, which takes about a tenth of the
// product with 128 tiles. Outputs and inputs that there are not are zeros.
#pragma once

#include <algorithm>
#include <cstdint>

#include "gemm_block.hpp"
#include "transpose.hpp"
#include "winograd_matrices.hpp"

namespace siamban {

class WinogradFilter {
 public:
  // `turned`: with the taps in reverse order and the sides exchanged; `from` is OHWI all the same.
  WinogradFilter(bool turned, int64_t outputs, int64_t inputs) : turned_(turned), outputs_(outputs), inputs_(inputs) {}

  // One panel of outputs for some inputs.
  struct Part {
    int64_t panel, input, inputs;
  };

  // The 36 matrices lie `plane` floats apart.
  void transform(const float *from, const Part &part, float *to, int64_t plane) const {
    for (int64_t c = 0; c < part.inputs; c += kLanes) {
      const Part square = {part.panel, part.input + c, std::min(kLanes, part.inputs - c)};
      transform_square(from, square, to + c * kBlockColumns, plane);
    }
  }

 private:
  bool turned_;
  int64_t outputs_, inputs_;

  void transform_square(const float *from, const Part &part, float *to, int64_t plane) const {
    constexpr WinogradMatrices matrices;
    Vector taps[2][9][kLanes];
    for (int64_t half = 0; half < 2; half++) {
      for (int64_t t = 0; t < 9; t++) {
        gather(from, part.panel * kBlockColumns + half * kLanes, t, part.input, taps[half][t]);
      }
    }
    for (int64_t i = 0; i < part.inputs; i++, to += kBlockColumns) {
      for (int64_t half = 0; half < 2; half++) {
        Vector rows[18], all[36];
        for (int j = 0; j < 3; j++) winograd_transform(matrices.filter, &taps[half][j][i], 3 * kLanes, rows + j, 3);
        for (int j = 0; j < 6; j++) winograd_transform(matrices.filter, rows + 3 * j, 1, all + 6 * j, 1);
        for (int64_t e = 0; e < 36; e++) store(to + e * plane + half * kLanes, all[e]);
      }
    }
  }

  // One tap: a vector of outputs for each of some inputs.
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
};

}  // namespace siamban
