// One step of stochastic gradient descent over all parameters, after clipping by their global norm:
//   c = min(1, clip / (‖grad‖ + 1e-6)), d = c · grad + decay · p, v ← m · v + d, p ← p − lr · v.
//
// Three launches for any number of parameters. The host cuts all of them into chunks, one a block:
// `sgd_squares` sums the squares of each chunk of the gradients, `sgd_decide` adds these in order
// and writes the report (norm, clip coefficient, 1 if applied), and `sgd_apply`, which reads that
// report where it lies, updates chunk by chunk. A loss or norm that is not finite, or a loss above
// its limit, leaves everything as it is, without the host having to know. 24 bytes a parameter pass
// over memory.
//
// Learning rates are read from the device, so that a recorded step can be replayed with others.

#include "common.cuh"

using namespace siamban;

namespace {

constexpr int kChunk = 1 << 15;  // SGD_CHUNK of sgd_update.ts

struct Entry {
  float *parameter;
  const float *gradient;
  float *velocity;
  Index size;
};

// Part `part` of entry `entry`.
struct Chunk {
  int entry, part;
};

struct Range {
  Index first;
  int size;
};

__device__ inline Range range_of(const Entry &entry, int part) {
  const Index first = static_cast<Index>(part) * kChunk, left = entry.size - first;
  return {first, static_cast<int>(left < kChunk ? left : kChunk)};
}

}  // namespace

extern "C" __global__ void __launch_bounds__(256)
    sgd_squares(const Entry *__restrict__ entries, const Chunk *__restrict__ chunks,
                double *__restrict__ squares) {
  __shared__ double scratch[32];
  const Chunk chunk = chunks[blockIdx.x];
  const Entry entry = entries[chunk.entry];
  const Range range = range_of(entry, chunk.part);
  const float *gradient = entry.gradient + range.first;
  double sum = 0;
  const int packs = range.size / 4;
#pragma unroll 4
  for (int i = threadIdx.x; i < packs; i += blockDim.x) {
    float values[4];
    load<4>(gradient + 4 * i, values);
    for (int k = 0; k < 4; k++) sum += static_cast<double>(values[k]) * values[k];
  }
  for (int i = 4 * packs + threadIdx.x; i < range.size; i += blockDim.x) {
    sum += static_cast<double>(gradient[i]) * gradient[i];
  }
  sum = block_sum(sum, scratch);
  if (threadIdx.x == 0) squares[blockIdx.x] = sum;
}

extern "C" __global__ void __launch_bounds__(1024)
    sgd_decide(const double *__restrict__ squares, const float *__restrict__ loss,
               float *__restrict__ report, int chunks, float clip_norm, float max_loss) {
  __shared__ double scratch[32];
  double sum = 0;
  for (int i = threadIdx.x; i < chunks; i += blockDim.x) sum += squares[i];
  sum = block_sum(sum, scratch);
  if (threadIdx.x != 0) return;
  const double norm = sqrt(sum), coefficient = clip_norm / (norm + 1e-6);
  report[0] = static_cast<float>(norm);
  report[1] = static_cast<float>(clip_norm > 0.f && !(coefficient > 1) ? coefficient : 1.0);
  report[2] = is_finite(*loss) && norm <= 1.7976931348623157e308 && *loss <= max_loss ? 1.f : 0.f;
}

extern "C" __global__ void __launch_bounds__(256)
    sgd_apply(const Entry *__restrict__ entries, const Chunk *__restrict__ chunks,
              const float *__restrict__ learning_rates, const float *__restrict__ report,
              float momentum, float weight_decay) {
  if (report[2] == 0.f) return;
  const float clip = report[1];
  const Chunk chunk = chunks[blockIdx.x];
  const Entry entry = entries[chunk.entry];
  const Range range = range_of(entry, chunk.part);
  const float rate = learning_rates[chunk.entry];
  float *__restrict__ parameter = entry.parameter + range.first;
  float *__restrict__ velocity = entry.velocity + range.first;
  const float *__restrict__ gradient = entry.gradient + range.first;
  const int packs = range.size / 4;
#pragma unroll 2
  for (int i = threadIdx.x; i < packs; i += blockDim.x) {
    float p[4], v[4], g[4];
    load<4>(parameter + 4 * i, p);
    load<4>(velocity + 4 * i, v);
    load<4>(gradient + 4 * i, g);
    for (int k = 0; k < 4; k++) {
      v[k] = momentum * v[k] + (clip * g[k] + weight_decay * p[k]);
      p[k] -= rate * v[k];
    }
    store<4>(velocity + 4 * i, v);
    store<4>(parameter + 4 * i, p);
  }
  for (int i = 4 * packs + threadIdx.x; i < range.size; i += blockDim.x) {
    velocity[i] = momentum * velocity[i] + (clip * gradient[i] + weight_decay * parameter[i]);
    parameter[i] -= rate * velocity[i];
  }
}
