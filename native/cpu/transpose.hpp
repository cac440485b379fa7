// Transposes a square of vectors: for each bit of the index, pairs of rows that differ in it exchange the lanes
// that do.
#pragma once

#include <utility>

#include "vector.hpp"

namespace siamban {

template <int64_t bit, size_t... lane>
inline void exchange(Vector &a, Vector &b, std::index_sequence<lane...>) {
  const Vector low = __builtin_shufflevector(a, b, ((lane & bit) ? kLanes + (lane ^ bit) : lane)...);
  b = __builtin_shufflevector(a, b, ((lane & bit) ? kLanes + lane : (lane | bit))...);
  a = low;
}

template <int64_t bit = 1>
inline void transpose(Vector (&rows)[kLanes]) {
#pragma GCC unroll 16
  for (int64_t i = 0; i < kLanes; i++) {
    if (!(i & bit)) exchange<bit>(rows[i], rows[i | bit], std::make_index_sequence<kLanes>());
  }
  if constexpr (2 * bit < kLanes) transpose<2 * bit>(rows);
}

}  // namespace siamban
