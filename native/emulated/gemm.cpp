#include "gemm.hpp"

#include <algorithm>
#include <vector>

#include "core.hpp"

namespace emulated {

namespace {

// Panels of B (kDepth x kWide) stay in the second cache; a tile of kTall x kWide sums in registers.
constexpr int kTall = 6, kWide = 16;
constexpr int64_t kDepth = 256, kRows = 96;
constexpr int64_t kParallelWork = 1 << 18;

typedef float Vector __attribute__((vector_size(32), aligned(4)));

// sum[kTall][kWide] = A panel (k x kTall) times B panel (k x kWide).
void multiply_tile(int64_t k, const float *a, const float *b, float *sum) {
  Vector low[kTall] = {}, high[kTall] = {};
  for (int64_t p = 0; p < k; p++) {
    Vector b0 = *reinterpret_cast<const Vector *>(b), b1 = *reinterpret_cast<const Vector *>(b + 8);
    // Unrolled, or the sums would go through memory.
#pragma GCC unroll 6
    for (int i = 0; i < kTall; i++) {
      low[i] += a[i] * b0;
      high[i] += a[i] * b1;
    }
    a += kTall;
    b += kWide;
  }
#pragma GCC unroll 6
  for (int i = 0; i < kTall; i++) {
    *reinterpret_cast<Vector *>(sum + i * kWide) = low[i];
    *reinterpret_cast<Vector *>(sum + i * kWide + 8) = high[i];
  }
}

// Panels of `step` rows (or columns), depth first, filled up with zeros.
void pack(const float *data, ptrdiff_t across, ptrdiff_t along, int64_t count, int64_t k, int step,
          float *out) {
  for (int64_t i = 0; i < count; i += step) {
    int64_t width = std::min<int64_t>(step, count - i);
    for (int64_t p = 0; p < k; p++) {
      for (int64_t j = 0; j < step; j++) {
        *out++ = j < width ? data[(i + j) * across + p * along] : 0.f;
      }
    }
  }
}

struct Output {
  float *data;
  ptrdiff_t row, column;
  float alpha;
};

void add_tile(const float *sum, int64_t rows, int64_t columns, const Output &out, int64_t i,
              int64_t j) {
  for (int64_t r = 0; r < rows; r++) {
    float *to = out.data + (i + r) * out.row + j * out.column;
    for (int64_t s = 0; s < columns; s++) to[s * out.column] += out.alpha * sum[r * kWide + s];
  }
}

void multiply_rows(int64_t rows, int64_t n, int64_t k, const float *a, const float *b, int64_t i0,
                   const Output &out) {
  float sum[kTall * kWide];
  for (int64_t j = 0; j < n; j += kWide) {
    for (int64_t i = 0; i < rows; i += kTall) {
      multiply_tile(k, a + i * k, b + j * k, sum);
      add_tile(sum, std::min<int64_t>(kTall, rows - i), std::min<int64_t>(kWide, n - j), out,
               i0 + i, j);
    }
  }
}

void scale(int64_t m, int64_t n, float beta, const Output &out) {
  for (int64_t i = 0; i < m; i++) {
    for (int64_t j = 0; j < n; j++) {
      float &cell = out.data[i * out.row + j * out.column];
      cell = beta == 0.f ? 0.f : beta * cell;  // beta 0 overwrites whatever is there, NaN too
    }
  }
}

}  // namespace

void gemm(int64_t m, int64_t n, int64_t k, float alpha, Matrix a, Matrix b, float beta, float *c,
          ptrdiff_t c_row, ptrdiff_t c_column) {
  Output out{c, c_row, c_column, alpha};
  if (beta != 1.f) scale(m, n, beta, out);
  std::vector<float> b_panels((n + kWide - 1) / kWide * kWide * std::min(k, kDepth));
  int threads = m * n * k > kParallelWork && m > kRows ? worker_threads() : 1;
  for (int64_t p = 0; p < k; p += kDepth) {
    int64_t depth = std::min(kDepth, k - p);
    pack(b.data + p * b.row, b.column, b.row, n, depth, kWide, b_panels.data());
#pragma omp parallel for schedule(dynamic) num_threads(threads) if (threads > 1)
    for (int64_t i = 0; i < m; i += kRows) {
      int64_t rows = std::min(kRows, m - i);
      std::vector<float> a_panels((rows + kTall - 1) / kTall * kTall * depth);
      pack(a.data + i * a.row + p * a.column, a.row, a.column, rows, depth, kTall, a_panels.data());
      multiply_rows(rows, n, depth, a_panels.data(), b_panels.data(), i, out);
    }
  }
}

}  // namespace emulated
