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

inline Vector load_part(const float *from, int64_t count) {
  Vector value = {};
  std::memcpy(&value, from, count * sizeof(float));
  return value;
}

inline void store_part(float *to, Vector value, int64_t count) {
  std::memcpy(to, &value, count * sizeof(float));
}

}  // namespace siamban
