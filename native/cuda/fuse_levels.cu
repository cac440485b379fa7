// Combines the maps of several levels into one, with learned weights (SiamBAN, equation 3):
//   y = Σᵢ pᵢ · f(sᵢ · xᵢ), p = softmax(weight) or 1 / levels, f the identity or the exponential,
// and its gradients by every map, by the weight and by the scale s.
//
// One launch forward, reading each map once and writing y: levels + 1 floats an element where
// separate products, exponentials and sums pass over memory eleven times for three levels.
// Backward, one launch writes all dx and, for each block, the sums Σ dy · f(s x) and Σ dy · p ·
// f'(s x) · x a level; a second one of one block adds these in order and takes the softmax's
// gradient. The maps, up to eight, are parameters of the launch, so that no table has to be brought
// to the device.

#include "common.cuh"

using namespace siamban;

namespace {

constexpr int kMostLevels = 8;

template <typename T>
struct Maps {
  T *at[kMostLevels];
};

// The softmax of `weight`, or equal shares.
__device__ inline void find_shares(const float *weight, int levels, float *shares) {
  float largest = -infinity(), sum = 0.f;
  for (int i = 0; i < levels; i++) largest = weight && weight[i] > largest ? weight[i] : largest;
  for (int i = 0; i < levels; i++) {
    shares[i] = weight ? expf(weight[i] - largest) : 1.f;
    sum += shares[i];
  }
  for (int i = 0; i < levels; i++) shares[i] /= sum;
}

}  // namespace

#define SIAMBAN_EIGHT(type, name)                                                           \
  type *name##0, type *name##1, type *name##2, type *name##3, type *name##4, type *name##5, \
      type *name##6, type *name##7
#define SIAMBAN_ALL(name) {{name##0, name##1, name##2, name##3, name##4, name##5, name##6, name##7}}

extern "C" __global__ void fuse_levels(SIAMBAN_EIGHT(const Element, map),
                                       const float *__restrict__ weight,
                                       const float *__restrict__ scale, Element *__restrict__ y,
                                       int size, int levels, int exponential) {
  const Maps<const Element> maps = SIAMBAN_ALL(map);
  float shares[kMostLevels], factors[kMostLevels];
  find_shares(weight, levels, shares);
  for (int i = 0; i < levels; i++) factors[i] = scale ? scale[i] : 1.f;
  for (Index n = grid_thread(); n < size; n += grid_size()) {
    float sum = 0.f;
    for (int i = 0; i < levels; i++) {
      const float scaled = factors[i] * to_float(maps.at[i][n]);
      sum += shares[i] * (exponential ? expf(scaled) : scaled);
    }
    y[n] = from_float<Element>(sum);
  }
}

// `partial` [blocks, 2, levels].
extern "C" __global__ void __launch_bounds__(256)
    fuse_levels_backward(const Element *__restrict__ dy, SIAMBAN_EIGHT(const Element, map),
                         const float *__restrict__ weight, const float *__restrict__ scale,
                         SIAMBAN_EIGHT(Element, gradient), float *__restrict__ partial, int size,
                         int levels, int exponential) {
  const Maps<const Element> maps = SIAMBAN_ALL(map);
  const Maps<Element> gradients = SIAMBAN_ALL(gradient);
  __shared__ float scratch[32];
  float shares[kMostLevels];
  find_shares(weight, levels, shares);
  for (int i = 0; i < levels; i++) {
    const float factor = scale ? scale[i] : 1.f;
    float by_share = 0.f, by_scale = 0.f;
    for (Index n = grid_thread(); n < size; n += grid_size()) {
      const float g = to_float(dy[n]), x = to_float(maps.at[i][n]);
      const float value = exponential ? expf(factor * x) : factor * x;
      const float by_scaled = g * shares[i] * (exponential ? value : 1.f);
      by_share += g * value;
      by_scale += by_scaled * x;
      gradients.at[i][n] = from_float<Element>(by_scaled * factor);
    }
    by_share = block_sum(by_share, scratch);
    by_scale = block_sum(by_scale, scratch);
    if (threadIdx.x == 0) {
      partial[blockIdx.x * 2 * levels + i] = by_share;
      partial[(blockIdx.x * 2 + 1) * levels + i] = by_scale;
    }
  }
}

// One block: dweight = p · (Σ dy f − Σ_j p_j Σ dy f_j), dscale.
extern "C" __global__ void __launch_bounds__(256)
    fuse_levels_finish(const float *__restrict__ partial, const float *__restrict__ weight,
                       float *__restrict__ dweight, float *__restrict__ dscale, int blocks,
                       int levels) {
  __shared__ float scratch[32];
  float shares[kMostLevels], by_share[kMostLevels];
  find_shares(weight, levels, shares);
  float mean = 0.f;
  for (int i = 0; i < levels; i++) {
    float share = 0.f, by_scale = 0.f;
    for (int b = threadIdx.x; b < blocks; b += blockDim.x) {
      share += partial[b * 2 * levels + i];
      by_scale += partial[(b * 2 + 1) * levels + i];
    }
    by_share[i] = block_sum(share, scratch);
    by_scale = block_sum(by_scale, scratch);
    mean += shares[i] * by_share[i];
    if (threadIdx.x == 0 && dscale) dscale[i] = by_scale;
  }
  if (threadIdx.x != 0 || !dweight) return;
  for (int i = 0; i < levels; i++) dweight[i] = shares[i] * (by_share[i] - mean);
}
