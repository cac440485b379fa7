// The border of the driver's exported functions.
#pragma once

#include "core.hpp"

namespace emulated {

constexpr int kUnknownError = 999;

template <typename Body>
int driver_call(Body &&body) noexcept {
  return guarded(kUnknownError, body);
}

}  // namespace emulated
