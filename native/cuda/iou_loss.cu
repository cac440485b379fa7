// Weighted mean over boxes of −log IoU, 1 − IoU or 1 − GIoU, and its gradient by the prediction.
// A box is its distances left, top, right, bottom from a point that both boxes share:
//   I = (min l + min r)(min t + min b), U = area + area* − I, IoU = (I + 1) / (U + 1),
//   GIoU = IoU − (hull − U) / hull, hull = (max l + max r)(max t + max b) + 1e-7.
// Where both sides of a min or max are equal, each takes half the gradient.
//
// One block in two passes over [boxes, 4]: it sums the weights, then writes losses and gradients;
// see select_cross_entropy.cu for why one block. A box is one 16-byte access.

#include "common.cuh"

using namespace siamban;

namespace {

enum Kind { kIou = 0, kLinearIou = 1, kGiou = 2 };
enum Choice { kPredicted, kSmaller, kLarger };

// A product of two lengths, and its derivative by each of l, t, r, b.
struct Area {
  float value, by[4];
};

__device__ inline float share(float p, float t, Choice choice) {
  if (choice == kPredicted) return 1.f;
  if (p == t) return 0.5f;
  return (choice == kSmaller) == (p < t) ? 1.f : 0.f;
}

__device__ inline Area area(const float p[4], const float t[4], Choice choice) {
  float side[4], by[4];
  for (int k = 0; k < 4; k++) {
    const bool predicted =
        choice == kPredicted || (choice == kSmaller) == (p[k] < t[k]) || p[k] != p[k];
    side[k] = predicted ? p[k] : t[k];
    by[k] = share(p[k], t[k], choice);
  }
  const float width = side[0] + side[2], height = side[1] + side[3];
  return {width * height, {height * by[0], width * by[1], height * by[2], width * by[3]}};
}

// The loss of one box; `gradient` gets its derivative times `factor`.
__device__ inline float box_loss(const float p[4], const float t[4], int kind, float factor,
                                 float gradient[4]) {
  const Area predicted = area(p, t, kPredicted), common = area(p, t, kSmaller);
  const Area hull = area(p, t, kLarger);
  const float truth = (t[0] + t[2]) * (t[1] + t[3]);
  const float joint = predicted.value + truth - common.value;
  // In this order, or the 1e-7 would be lost beside the areas.
  const float hull_area = hull.value + 1e-7f, gap = hull.value - joint + 1e-7f;
  const float iou = (common.value + 1.f) / (joint + 1.f);
  for (int k = 0; k < 4; k++) {
    const float by_joint = predicted.by[k] - common.by[k];
    const float by_iou = (common.by[k] - iou * by_joint) / (joint + 1.f);
    const float by_hull = (by_joint - joint / hull_area * hull.by[k]) / hull_area;
    const float derivative = kind == kIou         ? -by_iou / iou
                             : kind == kLinearIou ? -by_iou
                                                  : -by_iou - by_hull;
    gradient[k] = factor == 0.f ? 0.f : factor * derivative;
  }
  if (kind == kIou) return -logf(iou);
  // 1 − IoU as a fraction: a difference of near-equal numbers would cancel digits.
  const float loss = (joint - common.value) / (joint + 1.f);
  return kind == kLinearIou ? loss : loss + gap / hull_area;
}

}  // namespace

extern "C" __global__ void __launch_bounds__(512)
    iou_loss(const Element *__restrict__ pred, const float *__restrict__ target,
             const float *__restrict__ weight, float *__restrict__ loss,
             Element *__restrict__ gradient, int boxes, int kind, int zero_when_empty) {
  __shared__ double scratch[32];
  double weights = 0;
#pragma unroll 8
  for (int i = threadIdx.x; i < boxes; i += blockDim.x) weights += weight[i];
  weights = block_sum(weights, scratch);
  const bool weighted = weights > 0;
  const float scale = static_cast<float>(weighted ? 1 / weights : 1.0 / boxes);
  double total = 0;
  for (int i = threadIdx.x; i < boxes; i += blockDim.x) {
    const float factor = weighted ? weight[i] * scale : zero_when_empty ? 0.f : scale;
    float p[4], t[4], by[4];
    load<4>(pred + 4 * static_cast<Index>(i), p);
    load<4>(target + 4 * static_cast<Index>(i), t);
    const float own = box_loss(p, t, kind, factor, by);
    store<4>(gradient + 4 * static_cast<Index>(i), by);
    // A box that does not count must not bring in a loss that is not a number.
    if (factor != 0.f) total += factor * own;
  }
  total = block_sum(total, scratch);
  if (threadIdx.x == 0) *loss = static_cast<float>(total);
}
