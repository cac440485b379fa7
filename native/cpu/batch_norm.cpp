// Batch normalisation over rows of channels (NHWC seen as [rows, channels]), with a residual and an
// activation fused: y = act(γ (x − μ) / √(σ² + ε) + β + residual).
//
// Statistics are read in one pass: each thread takes blocks of 32 rows that fit the cache, finds the
// block's mean and its sum of squares about that mean (corrected for the mean's own rounding), and
// merges blocks in double (Chan, Golub and LeVeque, 1983). No cancellation, and the order is fixed,
// so a run repeats bit for bit.

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "native.hpp"

namespace {

using siamban::activate;
using siamban::passes;

constexpr int64_t kBlockRows = 32;
constexpr int64_t kBlockChannels = 256;

struct ForwardArgs {
  const float *x, *weight, *bias;
  float *running_mean, *running_var;
  const float *residual;
  float *y, *mean, *inv_std;
  int64_t rows, channels, training, activation;
  double epsilon, momentum;
};

struct BackwardArgs {
  const float *dy, *x, *y, *weight, *mean, *inv_std;
  float *dx, *dweight, *dbias, *dresidual;  // dresidual may be dy itself where nothing is masked
  int64_t rows, channels, training, activation;
};

// Count, mean and sum of squared deviations of each channel.
struct Moments {
  double count = 0;
  std::vector<double> mean, squares;

  explicit Moments(int64_t channels) : mean(channels), squares(channels) {}

  void merge(int64_t c, double n, double block_mean, double block_squares) {
    const double delta = block_mean - mean[c];
    mean[c] += delta * n / (count + n);
    squares[c] += block_squares + delta * delta * count * n / (count + n);
  }
};

// Rows [first, last) of thread `index`, in whole blocks.
struct RowRange {
  int64_t first, last;
  RowRange(int64_t rows, int64_t index, int64_t threads) {
    const int64_t blocks = (rows + kBlockRows - 1) / kBlockRows;
    first = std::min(rows, blocks * index / threads * kBlockRows);
    last = std::min(rows, blocks * (index + 1) / threads * kBlockRows);
  }
};

void add_rows(const float *x, int64_t rows, int64_t channels, Moments &moments) {
  float mean[kBlockChannels], rest[kBlockChannels], squares[kBlockChannels];
  for (int64_t start = 0; start < channels; start += kBlockChannels) {
    const int64_t width = std::min(kBlockChannels, channels - start);
    std::fill_n(mean, width, 0.f);
    std::fill_n(rest, width, 0.f);
    std::fill_n(squares, width, 0.f);
    for (int64_t r = 0; r < rows; r++) {
      const float *row = x + r * channels + start;
#pragma omp simd
      for (int64_t c = 0; c < width; c++) mean[c] += row[c];
    }
    for (int64_t c = 0; c < width; c++) mean[c] /= rows;
    for (int64_t r = 0; r < rows; r++) {
      const float *row = x + r * channels + start;
#pragma omp simd
      for (int64_t c = 0; c < width; c++) {
        const float deviation = row[c] - mean[c];
        rest[c] += deviation;
        squares[c] += deviation * deviation;
      }
    }
    for (int64_t c = 0; c < width; c++) {
      const double error = static_cast<double>(rest[c]) / rows;
      moments.merge(start + c, rows, mean[c] + error, squares[c] - error * error * rows);
    }
  }
  moments.count += rows;
}

Moments measure(const float *x, int64_t rows, int64_t channels) {
  const int threads = rows * channels > siamban::kParallelFloats ? omp_get_max_threads() : 1;
  std::vector<Moments> parts(threads, Moments(channels));
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int t = 0; t < threads; t++) {
    const RowRange range(rows, t, threads);
    for (int64_t r = range.first; r < range.last; r += kBlockRows) {
      add_rows(x + r * channels, std::min(kBlockRows, range.last - r), channels, parts[t]);
    }
  }
  for (int t = 1; t < threads; t++) {
    if (parts[t].count == 0) continue;
    for (int64_t c = 0; c < channels; c++) {
      parts[0].merge(c, parts[t].count, parts[t].mean[c], parts[t].squares[c]);
    }
    parts[0].count += parts[t].count;
  }
  return parts[0];
}

// r ← (1 − m) r + m s for mean and variance, unless one of them is not finite: one bad batch must not
// spoil the network.
void update_running(const ForwardArgs &a, int64_t c, double mean, double variance) {
  const float new_mean = static_cast<float>(mean), new_variance = static_cast<float>(variance);
  if (!std::isfinite(new_mean) || !std::isfinite(new_variance)) return;
  auto blend = [&](float running, double statistic) {
    return static_cast<float>((1 - a.momentum) * running + a.momentum * statistic);
  };
  a.running_mean[c] = blend(a.running_mean[c], mean);
  a.running_var[c] = blend(a.running_var[c], variance);
}

void find_statistics(const ForwardArgs &a) {
  if (!a.training) {
    for (int64_t c = 0; c < a.channels; c++) {
      a.mean[c] = a.running_mean[c];
      a.inv_std[c] = static_cast<float>(1 / std::sqrt(a.running_var[c] + a.epsilon));
    }
    return;
  }
  const Moments moments = measure(a.x, a.rows, a.channels);
  for (int64_t c = 0; c < a.channels; c++) {
    a.mean[c] = static_cast<float>(moments.mean[c]);
    a.inv_std[c] = static_cast<float>(1 / std::sqrt(moments.squares[c] / a.rows + a.epsilon));
    update_running(a, c, moments.mean[c], moments.squares[c] / (a.rows - 1));
  }
}

// One row; the flags are template parameters so that the loop has no branches.
template <int64_t activation, bool has_residual>
void normalise_row(const float *__restrict x, const float *__restrict residual,
                   const float *__restrict mean, const float *__restrict factor,
                   const float *__restrict bias, float *__restrict y, int64_t channels) {
#pragma omp simd
  for (int64_t c = 0; c < channels; c++) {
    // The mean goes first: folded into the bias it would cancel digits.
    float value = (x[c] - mean[c]) * factor[c] + bias[c];
    if (has_residual) value += residual[c];
    y[c] = activate(value, activation);
  }
}

template <int64_t activation, bool has_residual>
void normalise(const ForwardArgs &a, const float *factor) {
#pragma omp parallel for schedule(static) if (a.rows * a.channels > siamban::kParallelFloats)
  for (int64_t r = 0; r < a.rows; r++) {
    const int64_t at = r * a.channels;
    normalise_row<activation, has_residual>(a.x + at, has_residual ? a.residual + at : nullptr,
                                            a.mean, factor, a.bias, a.y + at, a.channels);
  }
}

template <int64_t activation>
void normalise(const ForwardArgs &a, const float *factor) {
  if (a.residual) return normalise<activation, true>(a, factor);
  normalise<activation, false>(a, factor);
}

// Sums over rows, by channel: g and g (x − μ).
struct Sums {
  std::vector<double> g, gx;
  explicit Sums(int64_t channels) : g(channels), gx(channels) {}
};

template <int64_t activation>
void sum_rows(const BackwardArgs &a, int64_t first, int64_t last, Sums &sums) {
  float g_sum[kBlockChannels], gx_sum[kBlockChannels];
  for (int64_t start = 0; start < a.channels; start += kBlockChannels) {
    const int64_t width = std::min(kBlockChannels, a.channels - start);
    std::fill_n(g_sum, width, 0.f);
    std::fill_n(gx_sum, width, 0.f);
    const float *mean = a.mean + start;
    for (int64_t r = first; r < last; r++) {
      const int64_t at = r * a.channels + start;
      const float *dy = a.dy + at, *x = a.x + at, *y = a.y + at;
      float *masked = a.dresidual + at;
#pragma omp simd
      for (int64_t c = 0; c < width; c++) {
        const float g = passes(y[c], activation) ? dy[c] : 0.f;
        if (activation != siamban::kNone) masked[c] = g;
        g_sum[c] += g;
        gx_sum[c] += g * (x[c] - mean[c]);
      }
    }
    for (int64_t c = 0; c < width; c++) {
      sums.g[start + c] += g_sum[c];
      sums.gx[start + c] += gx_sum[c];
    }
  }
}

template <int64_t activation>
Sums sum_gradients(const BackwardArgs &a) {
  const int threads = a.rows * a.channels > siamban::kParallelFloats ? omp_get_max_threads() : 1;
  std::vector<Sums> parts(threads, Sums(a.channels));
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int t = 0; t < threads; t++) {
    const RowRange range(a.rows, t, threads);
    for (int64_t r = range.first; r < range.last; r += kBlockRows) {
      sum_rows<activation>(a, r, std::min(r + kBlockRows, range.last), parts[t]);
    }
  }
  for (int t = 1; t < threads; t++) {
    for (int64_t c = 0; c < a.channels; c++) {
      parts[0].g[c] += parts[t].g[c];
      parts[0].gx[c] += parts[t].gx[c];
    }
  }
  return parts[0];
}

Sums sum_gradients(const BackwardArgs &a) {
  if (a.activation == siamban::kRelu) return sum_gradients<siamban::kRelu>(a);
  if (a.activation == siamban::kRelu6) return sum_gradients<siamban::kRelu6>(a);
  return sum_gradients<siamban::kNone>(a);
}

// dx = a g + b (x − μ) + d with a = γ / σ; in training b and d take out what moved the statistics.
void write_input_gradient(const BackwardArgs &a, const Sums &sums) {
  std::vector<float> on_g(a.channels), on_x(a.channels), shift(a.channels);
  for (int64_t c = 0; c < a.channels; c++) {
    const double inv_std = a.inv_std[c], factor = a.weight[c] * inv_std;
    on_g[c] = static_cast<float>(factor);
    if (!a.training) continue;
    on_x[c] = static_cast<float>(-factor * inv_std * inv_std * sums.gx[c] / a.rows);
    shift[c] = static_cast<float>(-factor * sums.g[c] / a.rows);
  }
  const float *mean = a.mean, *p = on_g.data(), *q = on_x.data(), *s = shift.data();
#pragma omp parallel for schedule(static) if (a.rows * a.channels > siamban::kParallelFloats)
  for (int64_t r = 0; r < a.rows; r++) {
    const float *__restrict x = a.x + r * a.channels, *__restrict g = a.dresidual + r * a.channels;
    float *__restrict dx = a.dx + r * a.channels;
#pragma omp simd
    for (int64_t c = 0; c < a.channels; c++) dx[c] = p[c] * g[c] + q[c] * (x[c] - mean[c]) + s[c];
  }
}

}  // namespace

SIAMBAN_EXPORT int32_t siamban_batch_norm(const ForwardArgs *args) {
  return siamban::guarded([&] {
    const ForwardArgs &a = *args;
    find_statistics(a);
    std::vector<float> factor(a.channels);
    for (int64_t c = 0; c < a.channels; c++) factor[c] = a.weight[c] * a.inv_std[c];
    if (a.activation == siamban::kRelu) {
      normalise<siamban::kRelu>(a, factor.data());
    } else if (a.activation == siamban::kRelu6) {
      normalise<siamban::kRelu6>(a, factor.data());
    } else {
      normalise<siamban::kNone>(a, factor.data());
    }
  });
}

SIAMBAN_EXPORT int32_t siamban_batch_norm_backward(const BackwardArgs *args) {
  return siamban::guarded([&] {
    const BackwardArgs &a = *args;
    const Sums sums = sum_gradients(a);
    for (int64_t c = 0; c < a.channels; c++) {
      a.dbias[c] = static_cast<float>(sums.g[c]);
      a.dweight[c] = static_cast<float>(sums.gx[c] * a.inv_std[c]);
    }
    write_input_gradient(a, sums);
  });
}
