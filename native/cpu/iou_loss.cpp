// Weighted mean over boxes of −log IoU, 1 − IoU or 1 − GIoU, and its gradient by the prediction.
// A box is its distances left, top, right, bottom from a point that both boxes share:
//   I = (min l + min r)(min t + min b), U = area + area* − I, IoU = (I + 1) / (U + 1),
//   GIoU = IoU − (hull − U) / hull, hull = (max l + max r)(max t + max b) + 1e-7.
// Where both sides of a min or max are equal, each takes half the gradient.

#include <algorithm>
#include <cmath>

#include "native.hpp"

namespace {

enum Kind : int64_t { kIou = 0, kLinearIou = 1, kGiou = 2 };

struct Args {
  const float *pred, *target, *weight;
  float *loss, *gradient;
  int64_t boxes, kind, zero_when_empty;
};

// A product of two lengths, and its derivative by each of l, t, r, b.
struct Area {
  double value, by[4];
};

enum Choice { kPredicted, kSmaller, kLarger };

double share(double p, double t, Choice choice) {
  if (choice == kPredicted) return 1;
  if (p == t) return 0.5;
  return (choice == kSmaller) == (p < t) ? 1 : 0;
}

Area area(const float *p, const float *t, Choice choice) {
  double side[4], by[4];
  for (int k = 0; k < 4; k++) {
    const double a = p[k], b = t[k];
    side[k] = choice == kPredicted ? a : choice == kSmaller ? std::min(a, b) : std::max(a, b);
    by[k] = share(a, b, choice);
  }
  const double width = side[0] + side[2], height = side[1] + side[3];
  return {width * height, {height * by[0], width * by[1], height * by[2], width * by[3]}};
}

// The loss of one box; `gradient` gets its derivative times `factor`.
double box_loss(const float *p, const float *t, int64_t kind, double factor, float *gradient) {
  const Area predicted = area(p, t, kPredicted), common = area(p, t, kSmaller);
  const Area hull = area(p, t, kLarger);
  const double hull_area = hull.value + 1e-7;
  const double truth = (static_cast<double>(t[0]) + t[2]) * (static_cast<double>(t[1]) + t[3]);
  const double joint = predicted.value + truth - common.value;
  const double iou = (common.value + 1) / (joint + 1);
  for (int k = 0; k < 4; k++) {
    const double by_joint = predicted.by[k] - common.by[k];
    const double by_iou = (common.by[k] - iou * by_joint) / (joint + 1);
    const double by_hull = by_joint / hull_area - joint * hull.by[k] / (hull_area * hull_area);
    const double derivative = kind == kIou         ? -by_iou / iou
                              : kind == kLinearIou ? -by_iou
                                                   : -by_iou - by_hull;
    gradient[k] = factor == 0 ? 0.f : static_cast<float>(factor * derivative);
  }
  if (kind == kIou) return -std::log(iou);
  return kind == kLinearIou ? 1 - iou : 1 - (iou - (hull_area - joint) / hull_area);
}

}  // namespace

SIAMBAN_EXPORT int32_t siamban_iou_loss(const Args *args) {
  const Args &a = *args;
  double weights = 0;
  for (int64_t i = 0; i < a.boxes; i++) weights += a.weight[i];
  const bool weighted = weights > 0;
  double total = 0;
  for (int64_t i = 0; i < a.boxes; i++) {
    const double factor = weighted            ? a.weight[i] / weights
                          : a.zero_when_empty ? 0
                                              : 1.0 / a.boxes;
    const double loss = box_loss(a.pred + 4 * i, a.target + 4 * i, a.kind, factor,
                                 a.gradient + 4 * i);
    // A box that does not count must not bring in a loss that is not a number.
    if (factor != 0) total += factor * loss;
  }
  *a.loss = static_cast<float>(total);
  return 0;
}
