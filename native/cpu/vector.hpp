// The machine's widest vector of floats, through the compiler's own vector type, so that the same
// text serves AVX-512, AVX2 and whatever else.
#pragma once

#include <cstdint>
#include <cstring>

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

// The first `count` floats, fewer than a vector or all of it; zeros behind them. As instructions: the header of the
// compiler's own functions for them takes as long to read as most kernels to compile.
typedef Vector MemoryVector __attribute__((aligned(4), may_alias));

#if defined(__AVX512F__)
inline uint16_t first_lanes(int64_t count) { return static_cast<uint16_t>((1u << count) - 1); }

inline Vector load_part(const float *from, int64_t count) {
  Vector value;
  asm("vmovups %1, %0 %{%2%}%{z%}"
      : "=v"(value) : "m"(*reinterpret_cast<const MemoryVector *>(from)), "Yk"(first_lanes(count)));
  return value;
}

inline void store_part(float *to, Vector value, int64_t count) {
  asm("vmovups %1, %0 %{%2%}"
      : "+m"(*reinterpret_cast<MemoryVector *>(to)) : "v"(value), "Yk"(first_lanes(count)));
}
#elif defined(__AVX2__)
typedef int32_t Lanes __attribute__((vector_size(sizeof(Vector))));

inline Lanes first_lanes(int64_t count) { return Lanes{0, 1, 2, 3, 4, 5, 6, 7} < static_cast<int32_t>(count); }

inline Vector load_part(const float *from, int64_t count) {
  Vector value;
  asm("vmaskmovps %1, %2, %0"
      : "=x"(value) : "m"(*reinterpret_cast<const MemoryVector *>(from)), "x"(first_lanes(count)));
  return value;
}

inline void store_part(float *to, Vector value, int64_t count) {
  asm("vmaskmovps %1, %2, %0"
      : "+m"(*reinterpret_cast<MemoryVector *>(to)) : "x"(value), "x"(first_lanes(count)));
}
#else
inline Vector load_part(const float *from, int64_t count) {
  Vector value = {};
  std::memcpy(&value, from, count * sizeof(float));
  return value;
}

inline void store_part(float *to, Vector value, int64_t count) { std::memcpy(to, &value, count * sizeof(float)); }
#endif

// Not less than `least`, or not more than `most`; what is not a number stays so.
inline Vector at_least(float least, Vector value) {
  const Vector bound = least - Vector{};
  return value < bound ? bound : value;
}

inline Vector at_most(float most, Vector value) {
  const Vector bound = most - Vector{};
  return value > bound ? bound : value;
}

}  // namespace siamban
