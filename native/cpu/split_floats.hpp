// From float32 to the bfloat16 parts of amx_tiles.hpp, in the orders that tiles want.
#pragma once

#include <algorithm>

#include "amx_tiles.hpp"

#ifdef SIAMBAN_AMX

namespace siamban {

// 32 numbers as registers of bfloat16, a part each, or 16 pairs of them.
template <int parts>
struct Parts {
  __m512i part[parts];
};

// Of the next numbers, which of 16 lanes exist.
inline __mmask16 lanes(int64_t left) {
  return left >= 16 ? 0xffff : left <= 0 ? 0 : (1u << left) - 1;
}

inline __m512i round_both(__m512 low, __m512 high) {
  return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
}

inline __m512 widen(__m256i half) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

template <int parts>
Parts<parts> split(__m512 low, __m512 high) {
  Parts<parts> result;
  for (int p = 0; p < parts; p++) {
    const __m512i part = result.part[p] = round_both(low, high);
    low = _mm512_sub_ps(low, widen(_mm512_castsi512_si256(part)));
    high = _mm512_sub_ps(high, widen(_mm512_extracti64x4_epi64(part, 1)));
  }
  return result;
}

// The numbers of one row in their order.
template <int parts>
Parts<parts> split_row(const float *row, int64_t count) {
  return split<parts>(_mm512_maskz_loadu_ps(lanes(count), row),
               _mm512_maskz_loadu_ps(lanes(count - 16), row + 16));
}

// Numbers of two rows in turn: (even[0], odd[0]), (even[1], odd[1]), … An absent row is zeros.
template <int parts>
Parts<parts> split_pairs(const float *even, const float *odd, int64_t count) {
  const __m512 low = even ? _mm512_maskz_loadu_ps(lanes(count), even) : _mm512_setzero_ps();
  const __m512 high = odd ? _mm512_maskz_loadu_ps(lanes(count), odd) : _mm512_setzero_ps();
  Parts<parts> result = split<parts>(low, high);
  for (__m512i &part : result.part) {
    const __m512i evens = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(part));
    const __m512i odds = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(part, 1));
    part = _mm512_or_si512(evens, _mm512_slli_epi32(odds, 16));
  }
  return result;
}

// Transposes 16 x 16 pairs in place.
inline void transpose(__m512i (&rows)[16]) {
  __m512i t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    for (int j = 0; j < 2; j++) {
      rows[i + 2 * j] = _mm512_unpacklo_epi64(t[i + j], t[i + j + 2]);
      rows[i + 2 * j + 1] = _mm512_unpackhi_epi64(t[i + j], t[i + j + 2]);
    }
  }
  // Quarter q of rows[4 g + c] is column 4 q + c of rows 4 g to 4 g + 3.
  for (int c = 0; c < 4; c++) {
    const __m512i low01 = _mm512_shuffle_i32x4(rows[c], rows[4 + c], 0x88);
    const __m512i high01 = _mm512_shuffle_i32x4(rows[c], rows[4 + c], 0xdd);
    const __m512i low23 = _mm512_shuffle_i32x4(rows[8 + c], rows[12 + c], 0x88);
    const __m512i high23 = _mm512_shuffle_i32x4(rows[8 + c], rows[12 + c], 0xdd);
    t[c] = _mm512_shuffle_i32x4(low01, low23, 0x88);
    t[8 + c] = _mm512_shuffle_i32x4(low01, low23, 0xdd);
    t[4 + c] = _mm512_shuffle_i32x4(high01, high23, 0x88);
    t[12 + c] = _mm512_shuffle_i32x4(high01, high23, 0xdd);
  }
  std::copy_n(t, 16, rows);
}

// Transposes 16 rows of pairs and stores them as the parts of a tile, `rest` bytes apart.
template <int parts>
void store_transposed(const Parts<parts> (&rows)[16], char *tile, int64_t rest) {
  for (int p = 0; p < parts; p++) {
    __m512i part[16];
    for (int i = 0; i < 16; i++) part[i] = rows[i].part[p];
    transpose(part);
    for (int i = 0; i < 16; i++) _mm512_store_si512(tile + p * rest + 64 * i, part[i]);
  }
}

template <int parts>
void store(const Parts<parts> &row, char *to, int64_t rest) {
  for (int p = 0; p < parts; p++) _mm512_store_si512(to + p * rest, row.part[p]);
}

}  // namespace siamban

#endif
