// What the processor can do at most, as a yardstick: multiply-adds a second in vector registers, and
// bytes a second through memory. Each thread runs for some milliseconds; the best of several runs
// counts, because another program's share of the machine is no property of the machine.

#include <omp.h>

#include <algorithm>
#include <vector>

#include "native.hpp"
#include "vector.hpp"

namespace {

struct PeakArgs {
  double *result;  // out: operations a second, bytes a second
};

// Enough chains that none waits for its own last result: latency 4 to 5, two a cycle.
constexpr int kChains = 12;
constexpr int64_t kRounds = 1 << 20;
constexpr int64_t kFloats = 1 << 24;  // 64 MB an array: beyond what a core keeps in its own caches
constexpr int kTries = 5;

double multiply_add_once() {
  const int threads = omp_get_max_threads();
  const double start = omp_get_wtime();
#pragma omp parallel num_threads(threads)
  {
    siamban::Vector chain[kChains] = {}, a = {}, b = {};
    for (int64_t r = 0; r < kRounds; r++) {
      for (int i = 0; i < kChains; i++) {
        chain[i] += a * b;
        // Keeps the compiler from folding the chains; costs no instruction.
#if defined(__x86_64__)
        asm volatile("" : "+x"(chain[i]));
#elif defined(__aarch64__)
        asm volatile("" : "+w"(chain[i]));
#endif
      }
    }
  }
  return 2. * kChains * kRounds * siamban::kLanes * threads / (omp_get_wtime() - start);
}

// y ← a x + y reads two arrays and writes one.
double bandwidth_once(std::vector<float> &x, std::vector<float> &y) {
  const double start = omp_get_wtime();
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < kFloats; i++) y[i] += 0.5f * x[i];
  return 3. * kFloats * sizeof(float) / (omp_get_wtime() - start);
}

}  // namespace

SIAMBAN_EXPORT int32_t siamban_measure_peak(const PeakArgs *args) {
  return siamban::guarded([&] {
    std::vector<float> x(kFloats), y(kFloats);
    args->result[0] = args->result[1] = 0;
    for (int i = 0; i < kTries; i++) {
      args->result[0] = std::max(args->result[0], multiply_add_once());
      args->result[1] = std::max(args->result[1], bandwidth_once(x, y));
    }
  });
}
