// Functions of one tensor, element by element, and sums of several.
//
// The function is a number that is the same for all threads. A thread takes 16 bytes at a time: 8
// bytes an element of float32 pass over memory for a function, and terms + 1 elements for a sum.

#include "common.cuh"

using namespace siamban;

namespace {

// Numbers of unary.ts.
enum Unary {
  kNegate,
  kAbsolute,
  kExp,
  kLog,
  kSqrt,
  kRsqrt,
  kSquare,
  kSigmoid,
  kTanh,
  kReciprocal,
  kLog1p,
  kExpm1,
  kFloor,
  kCeil,
  kRound,
  kSign,
  kPositive,
  kUpToSix
};

__device__ inline float apply(int function, float x) {
  switch (function) {
    case kNegate:
      return -x;
    case kAbsolute:
      return fabsf(x);
    case kExp:
      return expf(x);
    case kLog:
      return logf(x);
    case kSqrt:
      return sqrtf(x);
    case kRsqrt:
      return 1.f / sqrtf(x);
    case kSquare:
      return x * x;
    case kSigmoid:
      return 1.f / (1.f + expf(-x));
    case kTanh:
      return tanhf(x);
    case kReciprocal:
      return 1.f / x;
    case kLog1p:
      return log1pf(x);
    case kExpm1:
      return expm1f(x);
    case kFloor:
      return floorf(x);
    case kCeil:
      return ceilf(x);
    case kRound:
      return rintf(x);  // halves to even, as tfjs does
    case kSign:
      return x != x ? x : static_cast<float>((x > 0.f) - (x < 0.f));
    case kPositive:
      return activate(x, kRelu);
    default:
      return activate(x, kRelu6);
  }
}

}  // namespace

extern "C" __global__ void unary(const Element *__restrict__ x, Element *__restrict__ y, int size,
                                 int function) {
  constexpr int count = kWide<Element>;
  const Index packs = size / count;
  for (Index i = grid_thread(); i < packs; i += grid_size()) {
    float values[count];
    load<count>(x + i * count, values);
    for (int k = 0; k < count; k++) values[k] = apply(function, values[k]);
    store<count>(y + i * count, values);
  }
  for (Index i = packs * count + grid_thread(); i < size; i += grid_size()) {
    y[i] = from_float<Element>(apply(function, to_float(x[i])));
  }
}

// out = x₀ + x₁ + …, in order, of up to eight terms; those beyond `terms` are NULL.
extern "C" __global__ void add_n(const Element *x0, const Element *x1, const Element *x2,
                                 const Element *x3, const Element *x4, const Element *x5,
                                 const Element *x6, const Element *x7, Element *__restrict__ out,
                                 int terms, int size) {
  constexpr int count = kWide<Element>;
  const Element *inputs[8] = {x0, x1, x2, x3, x4, x5, x6, x7};
  const Index packs = size / count;
  for (Index i = grid_thread(); i < packs; i += grid_size()) {
    float sum[count], values[count];
    load<count>(x0 + i * count, sum);
#pragma unroll
    for (int t = 1; t < 8; t++) {
      if (t >= terms) break;
      load<count>(inputs[t] + i * count, values);
      for (int k = 0; k < count; k++) sum[k] += values[k];
    }
    store<count>(out + i * count, sum);
  }
  for (Index i = packs * count + grid_thread(); i < size; i += grid_size()) {
    float sum = to_float(x0[i]);
#pragma unroll
    for (int t = 1; t < 8; t++) sum += t < terms ? to_float(inputs[t][i]) : 0.f;
    out[i] = from_float<Element>(sum);
  }
}
