// Bytes as floats: a picture on its way into a network.

#include "native.hpp"

namespace {

struct Args {
  const uint8_t *bytes;
  float *floats;
  int64_t size;
};

}  // namespace

SIAMBAN_EXPORT int32_t siamban_widen_bytes(const Args *args) {
  const uint8_t *__restrict from = args->bytes;
  float *__restrict to = args->floats;
#pragma omp simd
  for (int64_t i = 0; i < args->size; i++) to[i] = from[i];
  return 0;
}
