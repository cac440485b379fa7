// What every exported function shares: the calling convention and the border for exceptions.
//
// A function takes one block of 8-byte cells, which it reads as its own struct: addresses of tensors
// (NULL where absent), then int64_t, then double. It returns a status, 0 for success; the words for
// any other are kept for siamban_last_error of the same thread. Nothing here prints or exits.
#pragma once

#include <cstdint>
#include <exception>

#define SIAMBAN_EXPORT extern "C" __attribute__((visibility("default")))

namespace siamban {

constexpr int32_t kFailed = 1;

// Numbers of src/ops/activation.ts.
enum Activation : int64_t { kNone = 0, kRelu = 1, kRelu6 = 2, kHardSwish = 3 };

// Below this much work a second thread costs more than it brings.
constexpr int64_t kParallelFloats = 1 << 14;

void set_last_error(const char *text) noexcept;

// Runs `body`; no exception crosses into the caller, which could not catch it.
template <typename Body>
int32_t guarded(Body &&body) noexcept {
  try {
    body();
    return 0;
  } catch (const std::exception &error) {
    set_last_error(error.what());
  } catch (...) {
    set_last_error("unknown exception");
  }
  return kFailed;
}

// x · min(max(x + 3, 0), 6) / 6.
inline float hard_swish(float x) {
  const float gate = x + 3.f;
  return x * (gate < 0.f ? 0.f : gate > 6.f ? 6.f : gate) * (1.f / 6.f);
}

// Not-a-number stays not-a-number, so that a bad step can be seen in its loss.
inline float activate(float value, int64_t activation) {
  if (activation == kNone) return value;
  if (activation == kHardSwish) return hard_swish(value);
  float positive = value < 0.f ? 0.f : value;
  return activation == kRelu6 && positive > 6.f ? 6.f : positive;
}

// Whether the gradient passes, from the activation's own output.
inline bool passes(float y, int64_t activation) {
  return activation == kNone || (y > 0.f && (activation == kRelu || y < 6.f));
}

}  // namespace siamban
