// The sum over rows of each channel (NHWC seen as [rows, channels]): the gradient of a bias.

#include <algorithm>

#include "native.hpp"

namespace {

constexpr int64_t kBlockRows = 32;
constexpr int64_t kWidth = 64;

struct Args {
  const float *x;
  float *sum;
  int64_t rows, channels;
};

// Floats within a block of rows, doubles across blocks: as accurate as need be, and vectorised.
void sum_channels(const Args &a, int64_t first, int64_t width) {
  double total[kWidth] = {};
  for (int64_t start = 0; start < a.rows; start += kBlockRows) {
    float block[kWidth] = {};
    const int64_t stop = std::min(start + kBlockRows, a.rows);
    for (int64_t r = start; r < stop; r++) {
      const float *row = a.x + r * a.channels + first;
#pragma omp simd
      for (int64_t c = 0; c < width; c++) block[c] += row[c];
    }
    for (int64_t c = 0; c < width; c++) total[c] += block[c];
  }
  for (int64_t c = 0; c < width; c++) a.sum[first + c] = static_cast<float>(total[c]);
}

}  // namespace

SIAMBAN_EXPORT int32_t siamban_channel_sum(const Args *args) {
  const int64_t blocks = (args->channels + kWidth - 1) / kWidth;
#pragma omp parallel for if (args->rows * args->channels > siamban::kParallelFloats)
  for (int64_t i = 0; i < blocks; i++) {
    sum_channels(*args, i * kWidth, std::min(kWidth, args->channels - i * kWidth));
  }
  return 0;
}
