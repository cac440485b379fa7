// The machine's widest vector of floats, through the compiler's own vector type, so that the same
// text serves AVX-512, AVX2 and whatever else.
#pragma once

#include <cstdint>
#include <cstring>
#if defined(__AVX__)
#include <immintrin.h>
#endif

namespace siamban {

#if defined(__AVX512F__)
constexpr int64_t kLanes = 16;
#elif defined(__AVX__)
constexpr int64_t kLanes = 8;
#else
constexpr int64_t kLanes = 4;
#endif

typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));

inline Vector load(const float *from) {
  Vector value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

inline void store(float *to, Vector value) { std::memcpy(to, &value, sizeof value); }

// a b + c, rounded once where the processor does so.
inline Vector multiply_add(Vector a, Vector b, Vector c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__FMA__)
  return _mm256_fmadd_ps(a, b, c);
#else
  return a * b + c;
#endif
}

#if defined(__AVX2__) && !defined(__AVX512F__)
inline __m256i first_lanes(int64_t count) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane);
}
#endif

// The first `count` floats, fewer than a vector or all of it; zeros behind them.
inline Vector load_part(const float *from, int64_t count) {
#if defined(__AVX512F__)
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), from);
#elif defined(__AVX2__)
  return _mm256_maskload_ps(from, first_lanes(count));
#else
  Vector value = {};
  std::memcpy(&value, from, count * sizeof(float));
  return value;
#endif
}

inline void store_part(float *to, Vector value, int64_t count) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1), value);
#elif defined(__AVX2__)
  _mm256_maskstore_ps(to, first_lanes(count), value);
#else
  std::memcpy(to, &value, count * sizeof(float));
#endif
}

// Not less than `least`, or not more than `most`; what is not a number stays so, because where one is none the
// processor takes the second.
#if defined(__AVX512F__)
inline Vector at_least(float least, Vector value) { return _mm512_max_ps(_mm512_set1_ps(least), value); }
inline Vector at_most(float most, Vector value) { return _mm512_min_ps(_mm512_set1_ps(most), value); }
#elif defined(__AVX__)
inline Vector at_least(float least, Vector value) { return _mm256_max_ps(_mm256_set1_ps(least), value); }
inline Vector at_most(float most, Vector value) { return _mm256_min_ps(_mm256_set1_ps(most), value); }
#else
inline Vector at_least(float least, Vector value) {
  const Vector bound = least - Vector{};
  return value < bound ? bound : value;
}
inline Vector at_most(float most, Vector value) {
  const Vector bound = most - Vector{};
  return value > bound ? bound : value;
}
#endif

}  // namespace siamban
