// What follows a sum in registers: y = activation(sum + residual), before it is stored.
#pragma once

#include "native.hpp"
#include "vector.hpp"

namespace siamban {

// Not-a-number stays not-a-number.
inline Vector activated(Vector value, int64_t activation) {
  if (activation == kNone) return value;
  if (activation == kHardSwish) {
    return value * at_most(1.f, at_least(0.f, value * (1.f / 6.f) + .5f));
  }
  const Vector positive = at_least(0.f, value);
  return activation == kRelu6 ? at_most(6.f, positive) : positive;
}

// Stores the first `lanes` of a vector, with the residual that belongs there, if any.
inline void finish(Vector value, float *to, const float *residual, int64_t activation, int64_t lanes) {
  if (lanes >= kLanes) {
    if (residual) value += load(residual);
    store(to, activated(value, activation));
  } else {
    if (residual) value += load_part(residual, lanes);
    store_part(to, activated(value, activation), lanes);
  }
}

}  // namespace siamban
