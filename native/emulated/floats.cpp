#include "floats.hpp"

#include <cstring>

namespace emulated {

namespace {

float from_bfloat16(uint16_t bits) {
  uint32_t wide = uint32_t{bits} << 16;
  float value;
  memcpy(&value, &wide, sizeof value);
  return value;
}

uint16_t to_bfloat16(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  if (value != value) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

}  // namespace

bool is_float_type(int type) {
  return type == kFloat || type == kDouble || type == kHalf || type == kBfloat16;
}

size_t bytes_of(int type) { return type == kDouble ? 8 : type == kFloat ? 4 : 2; }

float load_float(const void *data, int64_t index, int type) {
  switch (type) {
    case kFloat:
      return static_cast<const float *>(data)[index];
    case kDouble:
      return static_cast<float>(static_cast<const double *>(data)[index]);
    case kHalf:
      return static_cast<float>(static_cast<const _Float16 *>(data)[index]);
    default:
      return from_bfloat16(static_cast<const uint16_t *>(data)[index]);
  }
}

void store_float(void *data, int64_t index, int type, float value) {
  switch (type) {
    case kFloat:
      static_cast<float *>(data)[index] = value;
      break;
    case kDouble:
      static_cast<double *>(data)[index] = value;
      break;
    case kHalf:
      static_cast<_Float16 *>(data)[index] = static_cast<_Float16>(value);
      break;
    default:
      static_cast<uint16_t *>(data)[index] = to_bfloat16(value);
  }
}

float to_tf32(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7F800000) != 0x7F800000) bits = (bits + 0x1000) & ~uint32_t{0x1FFF};
  memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace emulated
