// What every kernel shares: element types and their conversion to float.
//
// Kernels name the element type of each operand by a macro (Element by default; no single letters, which headers use), because a tensor may lie as
// float or as bfloat16; they read with toFloat() and write with store().
#pragma once

// The upper half of a float. Arithmetic is done in float only.
struct bfloat16 {
  unsigned short bits;
};

__device__ inline float toFloat(float value) { return value; }
__device__ inline float toFloat(int value) { return static_cast<float>(value); }
__device__ inline float toFloat(unsigned char value) { return static_cast<float>(value); }
__device__ inline float toFloat(bfloat16 value) {
  union {
    unsigned bits;
    float value;
  } cell;
  cell.bits = static_cast<unsigned>(value.bits) << 16;
  return cell.value;
}

__device__ inline void store(float *to, float value) { *to = value; }
__device__ inline void store(int *to, float value) { *to = static_cast<int>(value); }
__device__ inline void store(unsigned char *to, float value) {
  *to = static_cast<unsigned char>(value);
}
// Rounds to the nearest, ties to even; a NaN stays one.
__device__ inline void store(bfloat16 *to, float value) {
  union {
    unsigned bits;
    float value;
  } cell;
  cell.value = value;
  const bool isNan = (cell.bits & 0x7fffffffu) > 0x7f800000u;
  const unsigned rounded = cell.bits + 0x7fffu + ((cell.bits >> 16) & 1u);
  to->bits = static_cast<unsigned short>(isNan ? (cell.bits >> 16) | 0x40u : rounded >> 16);
}

// Kinds of src/ops/activation.ts: 0 none, 1 ReLU, 2 ReLU6. A NaN passes, as in PyTorch.
__device__ inline float activate(float value, int kind) {
  if (kind == 0) return value;
  const float positive = value < 0.f ? 0.f : value;
  return kind == 2 && positive > 6.f ? 6.f : positive;
}
