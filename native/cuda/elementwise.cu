// Sums, products and functions of whole tensors, element by element: what adds up gradients and
// scales them, and the few functions of a single tensor that a head needs.
//
// The operation is a number that is the same for all threads, so choosing it costs nothing beside
// the memory that is moved: 12 bytes an element for two operands of float32. `binary` takes
// operands of one size, or a single value on the right or left; `binary_broadcast` any shapes that
// tfjs allows, through strides (0 along an axis that is repeated) over up to four axes; the caller
// merges axes that behave alike. Functions of one tensor are in unary.cu.

#include "common.cuh"

// Formats of two operands and of the result: int32 all three, or any mixture of float and bfloat16.
#ifndef Left
#define Left float
#endif
#ifndef Right
#define Right Left
#endif
#ifndef Result
#define Result Left
#endif

// A named namespace, since some formats leave some of these without use.
namespace siamban {

// Numbers of elementwise.ts.
enum Binary { kAdd, kSubtract, kMultiply, kDivide, kMaximum, kMinimum, kSquaredDifference, kPower };
enum Compare { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };

// Only floats are divided and raised; elementwise.ts asks for neither with integers.
__device__ inline float divide_or_raise(int operation, float a, float b) {
  return operation == kDivide ? a / b : powf(a, b);
}
__device__ inline int divide_or_raise(int, int a, int) { return a; }

// What is not a number stays so.
template <typename T>
__device__ inline T apply(int operation, T a, T b) {
  switch (operation) {
    case kAdd:
      return a + b;
    case kSubtract:
      return a - b;
    case kMultiply:
      return a * b;
    case kMaximum:
      return a > b || a != a ? a : b;
    case kMinimum:
      return a < b || a != a ? a : b;
    case kSquaredDifference:
      return (a - b) * (a - b);
    default:
      return divide_or_raise(operation, a, b);
  }
}

template <typename T>
__device__ inline bool holds(int comparison, T a, T b) {
  switch (comparison) {
    case kEqual:
      return a == b;
    case kNotEqual:
      return a != b;
    case kLess:
      return a < b;
    case kLessEqual:
      return a <= b;
    case kGreater:
      return a > b;
    default:
      return a >= b;
  }
}

// A value in the type that arithmetic is done in.
__device__ inline int widen(int value) { return value; }
__device__ inline float widen(float value) { return value; }
__device__ inline float widen(bfloat16 value) { return to_float(value); }

// The result in its own format.
template <typename T>
__device__ inline T narrow(float value) {
  return from_float<T>(value);
}
template <typename T>
__device__ inline T narrow(int value) {
  return value;
}

struct Strides {
  int at[4];
};

// Offset of element `n` of a tensor of shape [·, s1, s2, s3] in an operand.
struct Position {
  int at[4];
  __device__ inline Position(unsigned n, int s1, int s2, int s3) {
    at[3] = n % s3;
    at[2] = n / s3 % s2;
    at[1] = n / s3 / s2 % s1;
    at[0] = n / s3 / s2 / s1;
  }
  __device__ inline Index in(const Strides &strides) const {
    Index offset = 0;
    for (int k = 0; k < 4; k++) offset += static_cast<Index>(at[k]) * strides.at[k];
    return offset;
  }
};

}  // namespace siamban

using namespace siamban;

// `repeat_a` and `repeat_b`: whether that operand is a single value.
extern "C" __global__ void binary(const Left *__restrict__ a, const Right *__restrict__ b,
                                  Result *__restrict__ out, int size, int operation, int repeat_a,
                                  int repeat_b) {
  constexpr int count = 4;
  const Index packs = size / count;
  for (Index i = grid_thread(); i < packs; i += grid_size()) {
    Pack<Left, count> left = {};
    Pack<Right, count> right = {};
    Pack<Result, count> result;
    if (!repeat_a) left = reinterpret_cast<const Pack<Left, count> *>(a)[i];
    if (!repeat_b) right = reinterpret_cast<const Pack<Right, count> *>(b)[i];
#pragma unroll
    for (int k = 0; k < count; k++) {
      result.at[k] = narrow<Result>(apply(operation, widen(repeat_a ? a[0] : left.at[k]),
                                          widen(repeat_b ? b[0] : right.at[k])));
    }
    reinterpret_cast<Pack<Result, count> *>(out)[i] = result;
  }
  for (Index i = packs * count + grid_thread(); i < size; i += grid_size()) {
    out[i] =
        narrow<Result>(apply(operation, widen(a[repeat_a ? 0 : i]), widen(b[repeat_b ? 0 : i])));
  }
}

#define SIAMBAN_BROADCAST \
  int s1, int s2, int s3, int a0, int a1, int a2, int a3, int b0, int b1, int b2, int b3

extern "C" __global__ void binary_broadcast(const Left *__restrict__ a, const Right *__restrict__ b,
                                            Result *__restrict__ out, int size, int operation,
                                            SIAMBAN_BROADCAST) {
  const Strides in_a = {{a0, a1, a2, a3}}, in_b = {{b0, b1, b2, b3}};
  for (Index n = grid_thread(); n < size; n += grid_size()) {
    const Position at(static_cast<unsigned>(n), s1, s2, s3);
    out[n] = narrow<Result>(apply(operation, widen(a[at.in(in_a)]), widen(b[at.in(in_b)])));
  }
}

// A byte an element, 0 or 1.
extern "C" __global__ void compare_broadcast(const Left *__restrict__ a,
                                             const Right *__restrict__ b,
                                             unsigned char *__restrict__ out, int size,
                                             int comparison, SIAMBAN_BROADCAST) {
  const Strides in_a = {{a0, a1, a2, a3}}, in_b = {{b0, b1, b2, b3}};
  for (Index n = grid_thread(); n < size; n += grid_size()) {
    const Position at(static_cast<unsigned>(n), s1, s2, s3);
    out[n] = holds(comparison, widen(a[at.in(in_a)]), widen(b[at.in(in_b)]));
  }
}

// condition ? a : b, a byte an element of the condition.
extern "C" __global__ void choose(const unsigned char *__restrict__ condition,
                                  const Left *__restrict__ a, const Right *__restrict__ b,
                                  Result *__restrict__ out, int size) {
  for (Index i = grid_thread(); i < size; i += grid_size()) {
    out[i] = condition[i] ? narrow<Result>(widen(a[i])) : narrow<Result>(widen(b[i]));
  }
}
