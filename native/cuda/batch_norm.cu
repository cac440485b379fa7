// Batch normalisation over rows of channels (NHWC seen as [rows, channels]), with a residual and an
// activation fused: y = act(γ (x − μ) / √(σ² + ε) + β + residual), and its gradients
//   g = dy behind the activation, dβ = Σ g, dγ = Σ g x̂, dx = γ / σ (g − dβ / n − x̂ dγ / n) (in
//   training; γ / σ g else).
//
// Forward in training is three launches: moments (reads x), finish (a few numbers a channel),
// normalise (reads x and the residual, writes y). Backward: sums (reads dy, x, y, writes g),
// finish, input gradient (reads g and x, writes dx). 12 bytes an element of float32 forward and 28
// backward, which is what passes over memory need: a sum over the batch must end before its first
// use, and a batch is larger than any cache. The finish is its own launch because then no block
// waits for another and no atomic is needed.
//
// Moments do not cancel. They are taken of x − x₀, x₀ being the channel's first value, so that a
// large mean costs no digits; a thread takes eight rows at a time into registers, finds their mean
// and the sum of squares about it, and merges it with what it has (Chan, Golub and LeVeque, 1983);
// so do threads, then blocks, always in the same order, so that a run repeats bit for bit.
//
// Partial results are [splits, 2, channels]; see rows.cuh for how a block walks over a map.

#include "rows.cuh"

using namespace siamban;

namespace {

constexpr int kVector = 4;

// How many values there were in each of `count` channels, their mean and sum of squares about it.
template <int count>
struct Moments {
  float n, mean[count], squares[count];

  __device__ inline void merge(const Moments &other) {
    if (other.n == 0.f) return;
    const float total = n + other.n, share = other.n / total;
    for (int k = 0; k < count; k++) {
      const float delta = other.mean[k] - mean[k];
      mean[k] += delta * share;
      squares[k] += other.squares[k] + delta * delta * n * share;
    }
    n = total;
  }
};

// Moments of eight values a channel, fewer at the end of the rows.
constexpr int kRun = 8;
template <int count>
__device__ inline Moments<count> moments_of(const float values[kRun][count], int taken) {
  Moments<count> run;
  run.n = static_cast<float>(taken);
  const float scale = taken == kRun ? 1.f / kRun : 1.f / run.n;
#pragma unroll
  for (int k = 0; k < count; k++) {
    float sum = 0.f, squares = 0.f;
#pragma unroll
    for (int r = 0; r < kRun; r++) sum += r < taken ? values[r][k] : 0.f;
    run.mean[k] = sum * scale;
#pragma unroll
    for (int r = 0; r < kRun; r++) {
      const float deviation = r < taken ? values[r][k] - run.mean[k] : 0.f;
      squares += deviation * deviation;
    }
    run.squares[k] = squares;
  }
  return run;
}

// Merges those of the threads of a column; the whole is left with threadIdx.y = 0.
template <int count>
__device__ inline void merge_column(Moments<count> *own) {
  for (int half = blockDim.y / 2; half > 0; half /= 2) {
    __syncthreads();
    if (static_cast<int>(threadIdx.y) < half) own->merge(own[half * blockDim.x]);
  }
}

template <int count>
__device__ inline void moments(const Element *x, float *partial, int rows, int channels) {
  __shared__ Moments<count> shared[kRowThreads];
  const Walk<count> walk(rows, channels);
  Moments<count> found = {};
  float origin[count] = {};
  if (walk.active) load<count>(x + walk.channel, origin);
  for (Index row = walk.first; row < walk.last; row += kRun * walk.step) {
    float values[kRun][count];
    int taken = 0;
#pragma unroll
    for (int r = 0; r < kRun; r++) {
      const Index at = row + r * walk.step;
      if (at >= walk.last) continue;
      load<count>(x + at * channels + walk.channel, values[r]);
      for (int k = 0; k < count; k++) values[r][k] -= origin[k];
      taken++;
    }
    found.merge(moments_of<count>(values, taken));
  }
  Moments<count> *own = shared + threadIdx.y * blockDim.x + threadIdx.x;
  *own = found;
  merge_column(own);
  if (threadIdx.y != 0 || !walk.active) return;
  float *to = partial + static_cast<Index>(blockIdx.y) * 2 * channels + walk.channel;
  for (int k = 0; k < count; k++) {
    to[k] = own->mean[k];
    to[channels + k] = own->squares[k];
  }
}

template <int count>
__device__ inline void normalise(const Element *x, const float *weight, const float *bias,
                                 const float *mean, const float *inv_std, const Element *residual,
                                 Element *y, int rows, int channels, int activation) {
  const Walk<count> walk(rows, channels);
  if (!walk.active) return;
  float mu[count], factor[count], shift[count];
  for (int k = 0; k < count; k++) {
    mu[k] = mean[walk.channel + k];
    factor[k] = weight[walk.channel + k] * inv_std[walk.channel + k];
    shift[k] = bias[walk.channel + k];
  }
#pragma unroll 4
  for (Index row = walk.first; row < walk.last; row += walk.step) {
    const Index at = row * channels + walk.channel;
    float values[count], added[count] = {};
    load<count>(x + at, values);
    if (residual) load<count>(residual + at, added);
    for (int k = 0; k < count; k++) {
      // The mean goes first: folded into the bias it would cancel digits.
      values[k] = activate((values[k] - mu[k]) * factor[k] + shift[k] + added[k], activation);
    }
    store<count>(y + at, values);
  }
}

template <int count>
__device__ inline void backward_sums(const Element *dy, const Element *x, const Element *y,
                                     const float *mean, Element *masked, float *partial, int rows,
                                     int channels, int activation) {
  __shared__ float scratch[kRowThreads * count];
  const Walk<count> walk(rows, channels);
  float mu[count] = {}, sums[count] = {}, products[count] = {};
  if (walk.active) {
    for (int k = 0; k < count; k++) mu[k] = mean[walk.channel + k];
  }
#pragma unroll 4
  for (Index row = walk.first; row < walk.last; row += walk.step) {
    const Index at = row * channels + walk.channel;
    float g[count], values[count], outputs[count];
    load<count>(dy + at, g);
    load<count>(x + at, values);
    if (activation != kNone) {
      load<count>(y + at, outputs);
      for (int k = 0; k < count; k++) g[k] = passes(outputs[k], activation) ? g[k] : 0.f;
      store<count>(masked + at, g);
    }
    for (int k = 0; k < count; k++) {
      sums[k] += g[k];
      products[k] += g[k] * (values[k] - mu[k]);
    }
  }
  sum_column<count>(sums, scratch);
  sum_column<count>(products, scratch);
  if (threadIdx.y != 0 || !walk.active) return;
  float *to = partial + static_cast<Index>(blockIdx.y) * 2 * channels + walk.channel;
  for (int k = 0; k < count; k++) {
    to[k] = sums[k];
    to[channels + k] = products[k];
  }
}

template <int count>
__device__ inline void backward_input(const Element *g, const Element *x, const float *weight,
                                      const float *mean, const float *inv_std, const float *dweight,
                                      const float *dbias, Element *dx, int rows, int channels,
                                      int training) {
  const Walk<count> walk(rows, channels);
  if (!walk.active) return;
  float mu[count], on_g[count], on_x[count], shift[count];
  for (int k = 0; k < count; k++) {
    const int c = walk.channel + k;
    mu[k] = mean[c];
    on_g[k] = weight[c] * inv_std[c];
    on_x[k] = training ? -on_g[k] * inv_std[c] * dweight[c] / rows : 0.f;
    shift[k] = training ? -on_g[k] * dbias[c] / rows : 0.f;
  }
#pragma unroll 4
  for (Index row = walk.first; row < walk.last; row += walk.step) {
    const Index at = row * channels + walk.channel;
    float gradient[count], values[count];
    load<count>(g + at, gradient);
    load<count>(x + at, values);
    for (int k = 0; k < count; k++) {
      gradient[k] = on_g[k] * gradient[k] + on_x[k] * (values[k] - mu[k]) + shift[k];
    }
    store<count>(dx + at, gradient);
  }
}

}  // namespace

#define SIAMBAN_BOTH(name, parameters, arguments)                                      \
  extern "C" __global__ void __launch_bounds__(kRowThreads) name##_vector parameters { \
    name<kVector> arguments;                                                           \
  }                                                                                    \
  extern "C" __global__ void __launch_bounds__(kRowThreads) name##_scalar parameters { \
    name<1> arguments;                                                                 \
  }

// Each kernel twice: for channels that are a multiple of four, and for any number.
SIAMBAN_BOTH(moments,
             (const Element *__restrict__ x, float *__restrict__ partial, int rows, int channels),
             (x, partial, rows, channels))
SIAMBAN_BOTH(normalise,
             (const Element *__restrict__ x, const float *__restrict__ weight,
              const float *__restrict__ bias, const float *__restrict__ mean,
              const float *__restrict__ inv_std, const Element *__restrict__ residual,
              Element *__restrict__ y, int rows, int channels, int activation),
             (x, weight, bias, mean, inv_std, residual, y, rows, channels, activation))
SIAMBAN_BOTH(backward_sums,
             (const Element *__restrict__ dy, const Element *__restrict__ x,
              const Element *__restrict__ y, const float *__restrict__ mean,
              Element *__restrict__ masked, float *__restrict__ partial, int rows, int channels,
              int activation),
             (dy, x, y, mean, masked, partial, rows, channels, activation))
SIAMBAN_BOTH(backward_input,
             (const Element *__restrict__ g, const Element *__restrict__ x,
              const float *__restrict__ weight, const float *__restrict__ mean,
              const float *__restrict__ inv_std, const float *__restrict__ dweight,
              const float *__restrict__ dbias, Element *__restrict__ dx, int rows, int channels,
              int training),
             (g, x, weight, mean, inv_std, dweight, dbias, dx, rows, channels, training))

// Merges the moments of all splits, threadIdx.y taking every blockDim.y-th; writes mean and 1 /
// √(σ² + ε), and blends the running statistics, r ← (1 − m) r + m s, unless a statistic is not
// finite: one bad batch must not spoil the network.
extern "C" __global__ void __launch_bounds__(kRowThreads)
    finish_moments(const Element *__restrict__ x, const float *__restrict__ partial,
                   float *__restrict__ mean, float *__restrict__ inv_std,
                   float *__restrict__ running_mean, float *__restrict__ running_var, int splits,
                   int rows, int channels, float epsilon, float momentum) {
  __shared__ Moments<1> shared[kRowThreads];
  const Walk<1> walk(splits, channels);
  Moments<1> found = {};
  for (Index split = walk.first; split < walk.last; split += walk.step) {
    const Index first = static_cast<Index>(rows) * split / splits;
    const Index last = static_cast<Index>(rows) * (split + 1) / splits;
    const float *from = partial + split * 2 * channels + walk.channel;
    found.merge({static_cast<float>(last - first), {from[0]}, {from[channels]}});
  }
  Moments<1> *own = shared + threadIdx.y * blockDim.x + threadIdx.x;
  *own = found;
  merge_column(own);
  if (threadIdx.y != 0 || !walk.active) return;
  const int c = walk.channel;
  const float mu = to_float(x[c]) + own->mean[0];
  mean[c] = mu;
  inv_std[c] = 1.f / sqrtf(own->squares[0] / rows + epsilon);
  const float variance = own->squares[0] / (rows - 1);
  if (!is_finite(mu) || !is_finite(variance)) return;
  running_mean[c] = (1.f - momentum) * running_mean[c] + momentum * mu;
  running_var[c] = (1.f - momentum) * running_var[c] + momentum * variance;
}

// The running statistics as those to use.
extern "C" __global__ void running_moments(const float *__restrict__ running_mean,
                                           const float *__restrict__ running_var,
                                           float *__restrict__ mean, float *__restrict__ inv_std,
                                           int channels, float epsilon) {
  for (Index c = grid_thread(); c < channels; c += grid_size()) {
    mean[c] = running_mean[c];
    inv_std[c] = 1.f / sqrtf(running_var[c] + epsilon);
  }
}

// Adds up the parts of backward_sums: dbias and dweight.
extern "C" __global__ void __launch_bounds__(kRowThreads)
    finish_backward(const float *__restrict__ partial, const float *__restrict__ inv_std,
                    float *__restrict__ dweight, float *__restrict__ dbias, int splits,
                    int channels) {
  __shared__ float scratch[kRowThreads];
  const Walk<1> walk(splits, channels);
  float sum[1] = {0.f}, product[1] = {0.f};
  for (Index split = walk.first; split < walk.last; split += walk.step) {
    const float *from = partial + split * 2 * channels + walk.channel;
    sum[0] += from[0];
    product[0] += from[channels];
  }
  sum_column<1>(sum, scratch);
  sum_column<1>(product, scratch);
  if (threadIdx.y != 0 || !walk.active) return;
  dbias[walk.channel] = sum[0];
  dweight[walk.channel] = product[0] * inv_std[walk.channel];
}
