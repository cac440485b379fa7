// Winograd's F(4 x 4, 3 x 3) (Lavin and Gray, arXiv:1509.09308): 4 outputs of a filter of 3 from 6 products
// instead of 12, in two dimensions 36 instead of 144:
//   y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ x B) ] A
// for the points 0, 1, −1, 1/2, −2 and ∞, whose matrices lose less to rounding than those of 0, ±1, ±2
// (Barabasz, Anderson, Soodhalter and Gregg, arXiv:1803.10986): about 2e-6 of the largest result in the
// mean, 2e-5 at worst.
#pragma once

#include "vector.hpp"

namespace siamban {

// Polynomials through the points: row i of Bᵀ has the coefficients of Π (t − pⱼ) over Π (pᵢ − pⱼ), j ≠ i, row i of G
// and column i of Aᵀ the powers of pᵢ, of which many are ones that need no multiplication.
struct WinogradMatrices {
  float input[6][6] = {};   // Bᵀ
  float filter[6][3] = {};  // G
  float output[4][6] = {};  // Aᵀ

  constexpr WinogradMatrices() {
    const double points[5] = {0, 1, -1, 0.5, -2};
    for (int i = 0; i < 6; i++) {
      double coefficients[6] = {1}, scale = 1;
      int degree = 0;
      for (int j = 0; j < 5; j++) {
        if (j == i) continue;
        degree++;
        for (int k = degree; k >= 0; k--) {
          coefficients[k] = (k > 0 ? coefficients[k - 1] : 0) - points[j] * (k < degree ? coefficients[k] : 0);
        }
        if (i < 5) scale *= points[i] - points[j];
      }
      double power = 1;
      for (int k = 0; k < 6; k++) {
        input[i][k] = static_cast<float>(coefficients[k] / scale);
        const double value = i < 5 ? power : 0;
        if (k < 3) filter[i][k] = static_cast<float>(i < 5 ? value : k == 2);
        if (k < 4) output[k][i] = static_cast<float>(i < 5 ? value : k == 3);
        if (i < 5) power *= points[i];
      }
    }
  }
};

inline void winograd_add(Vector &sum, bool first, float factor, Vector value) {
  if (first) {
    sum = factor == 1 ? value : factor * value;
  } else if (factor == 1 || factor == -1) {
    sum = factor == 1 ? sum + value : sum - value;
  } else {
    sum += factor * value;
  }
}

// to[i] = Σ m[i][j] from[j], or m[j][i] where `transposed`; each a vector, `from_step` or `to_step` vectors after the
// one before.
template <bool transposed = false, int rows, int columns>
inline void winograd_transform(const float (&m)[rows][columns], const Vector *from, int from_step, Vector *to,
                               int to_step) {
  constexpr int results = transposed ? columns : rows, terms = transposed ? rows : columns;
#pragma GCC unroll 6
  for (int i = 0; i < results; i++) {
    Vector sum = {};
    bool first = true;
#pragma GCC unroll 6
    for (int j = 0; j < terms; j++) {
      const float factor = transposed ? m[j][i] : m[i][j];
      if (factor == 0) continue;
      winograd_add(sum, first, factor, from[j * from_step]);
      first = false;
    }
    to[i * to_step] = sum;
  }
}

}  // namespace siamban
