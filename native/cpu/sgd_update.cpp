// One step of stochastic gradient descent over all parameters, after clipping by their global norm:
//   c = min(1, clip / (‖grad‖ + 1e-6)), d = c · grad + decay · p, v ← m · v + d, p ← p − lr · v.
//
// Two passes over chunks of all parameters: squares of the gradients, summed in double in a fixed
// order, then the update. A loss or norm that is not finite, or a loss above its limit, ends it
// between the passes, with nothing changed.

#include <algorithm>
#include <cmath>
#include <vector>

#include "native.hpp"

namespace {

struct Entry {
  float *parameter;
  const float *gradient;
  float *velocity;
  int64_t size;
};

struct Args {
  const float *loss;
  const Entry *entries;
  const float *learning_rates;
  float *report;  // norm, clip coefficient, 1 if applied
  int64_t count;
  double momentum, weight_decay, clip_norm, max_loss;
};

struct Chunk {
  Entry entry;
  float learning_rate;
};

constexpr int64_t kChunk = 1 << 15;

std::vector<Chunk> split(const Args &a) {
  std::vector<Chunk> chunks;
  for (int64_t i = 0; i < a.count; i++) {
    const Entry &all = a.entries[i];
    for (int64_t at = 0; at < all.size; at += kChunk) {
      chunks.push_back({{all.parameter + at, all.gradient + at, all.velocity + at,
                         std::min(kChunk, all.size - at)},
                        a.learning_rates[i]});
    }
  }
  return chunks;
}

double norm(const std::vector<Chunk> &chunks) {
  std::vector<double> squares(chunks.size());
#pragma omp parallel for schedule(static)
  for (size_t k = 0; k < chunks.size(); k++) {
    const Entry &entry = chunks[k].entry;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < entry.size; i++) {
      sum += static_cast<double>(entry.gradient[i]) * entry.gradient[i];
    }
    squares[k] = sum;
  }
  double total = 0;
  for (double sum : squares) total += sum;
  return std::sqrt(total);
}

void update(const std::vector<Chunk> &chunks, float clip, float decay, float momentum) {
#pragma omp parallel for schedule(static)
  for (size_t k = 0; k < chunks.size(); k++) {
    const Entry &entry = chunks[k].entry;
    const float rate = chunks[k].learning_rate;
    const float *__restrict grad = entry.gradient;
    float *__restrict p = entry.parameter, *__restrict v = entry.velocity;
#pragma omp simd
    for (int64_t i = 0; i < entry.size; i++) {
      v[i] = momentum * v[i] + (clip * grad[i] + decay * p[i]);
      p[i] -= rate * v[i];
    }
  }
}

}  // namespace

SIAMBAN_EXPORT int32_t siamban_sgd_update(const Args *args) {
  return siamban::guarded([&] {
    const Args &a = *args;
    const std::vector<Chunk> chunks = split(a);
    const double total = norm(chunks);
    const double clip = a.clip_norm > 0 ? std::min(1.0, a.clip_norm / (total + 1e-6)) : 1.0;
    const double loss = *a.loss;
    const bool applies = std::isfinite(loss) && std::isfinite(total) && loss <= a.max_loss;
    if (applies) {
      update(chunks, static_cast<float>(clip), static_cast<float>(a.weight_decay),
             static_cast<float>(a.momentum));
    }
    a.report[0] = static_cast<float>(total);
    a.report[1] = static_cast<float>(clip);
    a.report[2] = applies ? 1.f : 0.f;
  });
}
