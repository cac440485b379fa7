// Conversion between the formats in which the values of a tensor lie, element by element: `Source`
// to `Target`.
//
// An uploaded image (a byte a value, B, G, R as they are) becomes activations here, so that a
// quarter of the bytes crosses the bus; float32 becomes bfloat16 (upper 16 bits, rounded to nearest
// even) and back; int32 and bool (a byte, 0 or 1) become floats and back. A thread takes four
// values at a time, in one access a side. Bytes moved are those of both formats, once.

#include "common.cuh"

#ifndef Source
#define Source uint8
#endif
#ifndef Target
#define Target float
#endif

namespace siamban {

// A value by the type it becomes; `boolean`: 1 for everything but 0.
template <typename To, typename From>
struct Converted {
  static __device__ inline To of(From value, int) { return from_float<To>(to_float(value)); }
};
template <typename From>
struct Converted<uint8, From> {
  static __device__ inline uint8 of(From value, int boolean) {
    const float number = to_float(value);
    return boolean ? number != 0.f : static_cast<uint8>(number);
  }
};
template <>
struct Converted<uint8, int> {
  static __device__ inline uint8 of(int value, int boolean) {
    return boolean ? value != 0 : static_cast<uint8>(value);
  }
};
template <>
struct Converted<int, int> {
  static __device__ inline int of(int value, int) { return value; }
};

}  // namespace siamban

using namespace siamban;

extern "C" __global__ void convert(const Source *__restrict__ from, Target *__restrict__ to,
                                   int size, int boolean) {
  constexpr int count = 4;
  const Index packs = size / count;
  for (Index i = grid_thread(); i < packs; i += grid_size()) {
    const Pack<Source, count> values = reinterpret_cast<const Pack<Source, count> *>(from)[i];
    Pack<Target, count> results;
    for (int k = 0; k < count; k++)
      results.at[k] = Converted<Target, Source>::of(values.at[k], boolean);
    reinterpret_cast<Pack<Target, count> *>(to)[i] = results;
  }
  for (Index i = packs * count + grid_thread(); i < size; i += grid_size()) {
    to[i] = Converted<Target, Source>::of(from[i], boolean);
  }
}
