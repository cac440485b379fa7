// What is done with 16 x 32 sums of matrix tiles: bias, residual, activation, and out.
#pragma once

#include "amx_tiles.hpp"
#include "native.hpp"
#include "own_convolution.hpp"
#include "split_floats.hpp"

#ifdef SIAMBAN_AMX

namespace siamban {

// Where the sums of a tile go: `count` pixels from the float `at` on, outputs from `first` of `all`.
struct TileTarget {
  int64_t at, count, first, all, activation;
};

inline void write_sums(const float *sums, const TileTarget &target, const ConvOperands &operands) {
  const __m512 zero = _mm512_setzero_ps(), six = _mm512_set1_ps(6);
  for (int64_t output = target.first; output < target.first + 32; output += 16, sums += kTileFloats) {
    const __mmask16 mask = lanes(target.all - output);
    if (!mask) return;
    const __m512 bias = operands.bias ? _mm512_maskz_loadu_ps(mask, operands.bias + output) : zero;
    for (int64_t i = 0; i < target.count; i++) {
      const int64_t to = target.at + i * target.all + output;
      __m512 value = _mm512_add_ps(_mm512_load_ps(sums + 16 * i), bias);
      if (operands.residual) {
        value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, operands.residual + to));
      }
      // Where a number is none, max gives its second operand: not-a-number stays.
      if (target.activation != kNone) value = _mm512_max_ps(zero, value);
      if (target.activation == kRelu6) value = _mm512_min_ps(six, value);
      _mm512_mask_storeu_ps(operands.output + to, mask, value);
    }
  }
}

}  // namespace siamban

#endif
