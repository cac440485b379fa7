// Winograd's F(4 x 4, 3 x 3) (Lavin and Gray, arXiv:1509.09308): 4 outputs of a filter of 3 from 6 products
// instead of 12, in two dimensions 36 instead of 144:
//   y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ x B) ] A
// for the points 0, 1, −1, 1/2, −2 and ∞, whose matrices lose less to rounding than those of 0, ±1, ±2
// (Barabasz, Anderson, Soodhalter and Gregg, arXiv:1803.10986): about 2e-6 of the largest result in the
// mean, 2e-5 at worst.
#pragma once

namespace siamban {

// Polynomials through the points: row i of Bᵀ has the coefficients of Π (t − pⱼ), j ≠ i, row i of G the powers of
// pᵢ over Π (pᵢ − pⱼ), and column i of Aᵀ the powers of pᵢ.
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
        input[i][k] = static_cast<float>(coefficients[k]);
        const double value = i < 5 ? power : 0;
        if (k < 3) filter[i][k] = static_cast<float>(i < 5 ? value / scale : k == 2);
        if (k < 4) output[k][i] = static_cast<float>(i < 5 ? value : k == 3);
        if (i < 5) power *= points[i];
      }
    }
  }
};

}  // namespace siamban
