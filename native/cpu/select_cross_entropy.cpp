// Cross entropy over selected points: half the mean over positives of −log p₁ plus half the mean over
// negatives of −log p₀, p the softmax of two logits; labels 1, 0, and −1 for points left out.
// The gradient by the logits comes with it: share · (p − one-hot), share = 0.5 / points of the class.

#include <cmath>

#include "native.hpp"

namespace {

struct Args {
  const float *logits;  // [points, 2]
  const int32_t *labels;
  float *loss, *gradient;
  int64_t points;
};

}  // namespace

SIAMBAN_EXPORT int32_t siamban_select_cross_entropy(const Args *args) {
  const Args &a = *args;
  int64_t count[2] = {0, 0};
  for (int64_t i = 0; i < a.points; i++) {
    if (a.labels[i] == 0 || a.labels[i] == 1) count[a.labels[i]]++;
  }
  double total = 0;
  for (int64_t i = 0; i < a.points; i++) {
    const float *logit = a.logits + 2 * i;
    float *gradient = a.gradient + 2 * i;
    const int32_t label = a.labels[i];
    if (label != 0 && label != 1) {
      gradient[0] = gradient[1] = 0.f;
      continue;
    }
    // −log p of the right class is log(1 + exp(wrong − right)), without overflow on either side.
    const double margin = static_cast<double>(logit[1 - label]) - logit[label];
    const double share = 0.5 / count[label];
    total += share * (margin > 0 ? margin + std::log1p(std::exp(-margin))
                                 : std::log1p(std::exp(margin)));
    const double wrong = 1 / (1 + std::exp(-margin));
    gradient[label] = static_cast<float>(-share * wrong);
    gradient[1 - label] = static_cast<float>(share * wrong);
  }
  *a.loss = static_cast<float>(total);
  return 0;
}
