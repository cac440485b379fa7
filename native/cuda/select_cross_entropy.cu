// Cross entropy over selected points: half the mean over positives of −log p₁ plus half the mean
// over negatives of −log p₀, p the softmax of two logits; labels 1, 0, and −1 for points left out.
// The gradient by the logits comes with it: share · (p − one-hot), share = 0.5 / points of the
// class.
//
// One block in two passes over [points, 2]: it counts both classes, then writes losses and
// gradients. The points of a batch (28 · 25 · 25) are 140 KB, less than a launch costs; one block
// needs no second launch, and adds in the same order each time.

#include "common.cuh"

using namespace siamban;

extern "C" __global__ void __launch_bounds__(1024)
    select_cross_entropy(const Element *__restrict__ logits, const int *__restrict__ labels,
                         float *__restrict__ loss, Element *__restrict__ gradient, int points) {
  __shared__ double scratch[32];
  __shared__ int counters[32];
  int own[2] = {0, 0};
#pragma unroll 8
  for (int i = threadIdx.x; i < points; i += blockDim.x) {
    own[0] += labels[i] == 0;
    own[1] += labels[i] == 1;
  }
  const int counts[2] = {block_sum(own[0], counters), block_sum(own[1], counters)};
  double total = 0;
  for (int i = threadIdx.x; i < points; i += blockDim.x) {
    const int label = labels[i];
    float pair[2], by[2] = {0.f, 0.f};
    load<2>(logits + 2 * static_cast<Index>(i), pair);
    if (label == 0 || label == 1) {
      // −log p of the right class is log(1 + exp(wrong − right)), without overflow on either side.
      const float margin = label ? pair[0] - pair[1] : pair[1] - pair[0];
      const float share = 0.5f / (label ? counts[1] : counts[0]);
      const float tail = expf(-fabsf(margin));
      total += share * (fmaxf(margin, 0.f) + log1pf(tail));
      // fmaxf hides what is not a number; a bad step must be seen in its loss.
      if (margin != margin) total += margin;
      const float wrong = (margin > 0.f ? 1.f : tail) / (1.f + tail);
      by[0] = label ? share * wrong : -share * wrong;
      by[1] = -by[0];
    }
    store<2>(gradient + 2 * static_cast<Index>(i), by);
  }
  total = block_sum(total, scratch);
  if (threadIdx.x == 0) *loss = static_cast<float>(total);
}
