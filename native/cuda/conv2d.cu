// Convolution and its two gradients as they are defined, for the shapes and types that cuDNN
// refuses:
//   y[b, i, j, o] = Σ_uvc x[b, i s − p + u d, j s − p + v d, g C' + c] · w[o, u, v, c],   g = o /
//   O',
// with C' = C / groups channels and O' = O / groups filters a group. NHWC, filters [O, kh, kw, C'].
//
// A thread an output (a block a filter tap for the filter's gradient), sums in a fixed order: this
// is the way out, not the way, so it is plain rather than fast.

#include "common.cuh"

using namespace siamban;

// Sizes, in the order of conv2d_plain.ts.
struct Geometry {
  int batch, height, width, channels;
  int out_height, out_width, filters;
  int kernel_height, kernel_width;
  int stride, padding, dilation, groups;
};

extern "C" __global__ void conv2d_forward(const Element *__restrict__ x,
                                          const Element *__restrict__ w, Element *__restrict__ y,
                                          const Geometry *__restrict__ geometry) {
  const Geometry g = *geometry;
  const int group_channels = g.channels / g.groups, group_filters = g.filters / g.groups;
  const Index size = static_cast<Index>(g.batch) * g.out_height * g.out_width * g.filters;
  for (Index at = grid_thread(); at < size; at += grid_size()) {
    const int o = static_cast<int>(at % g.filters);
    const Index pixel = at / g.filters;
    const int j = static_cast<int>(pixel % g.out_width);
    const int i = static_cast<int>(pixel / g.out_width % g.out_height);
    const Index b = pixel / g.out_width / g.out_height;
    const int first = o / group_filters * group_channels;
    float sum = 0.f;
    for (int u = 0; u < g.kernel_height; u++) {
      const int h = i * g.stride - g.padding + u * g.dilation;
      if (h < 0 || h >= g.height) continue;
      for (int v = 0; v < g.kernel_width; v++) {
        const int c = j * g.stride - g.padding + v * g.dilation;
        if (c < 0 || c >= g.width) continue;
        const Element *from = x + ((b * g.height + h) * g.width + c) * g.channels + first;
        const Element *taps =
            w +
            ((static_cast<Index>(o) * g.kernel_height + u) * g.kernel_width + v) * group_channels;
        for (int k = 0; k < group_channels; k++) sum += to_float(from[k]) * to_float(taps[k]);
      }
    }
    y[at] = from_float<Element>(sum);
  }
}

extern "C" __global__ void conv2d_backward_input(const Element *__restrict__ w,
                                                 const Element *__restrict__ dy,
                                                 Element *__restrict__ dx,
                                                 const Geometry *__restrict__ geometry) {
  const Geometry g = *geometry;
  const int group_channels = g.channels / g.groups, group_filters = g.filters / g.groups;
  const Index size = static_cast<Index>(g.batch) * g.height * g.width * g.channels;
  for (Index at = grid_thread(); at < size; at += grid_size()) {
    const int channel = static_cast<int>(at % g.channels);
    const Index pixel = at / g.channels;
    const int column = static_cast<int>(pixel % g.width);
    const int row = static_cast<int>(pixel / g.width % g.height);
    const Index b = pixel / g.width / g.height;
    const int first = channel / group_channels * group_filters, k = channel % group_channels;
    float sum = 0.f;
    for (int u = 0; u < g.kernel_height; u++) {
      const int above = row + g.padding - u * g.dilation;
      if (above < 0 || above % g.stride != 0 || above / g.stride >= g.out_height) continue;
      for (int v = 0; v < g.kernel_width; v++) {
        const int left = column + g.padding - v * g.dilation;
        if (left < 0 || left % g.stride != 0 || left / g.stride >= g.out_width) continue;
        const Element *from =
            dy +
            ((b * g.out_height + above / g.stride) * g.out_width + left / g.stride) * g.filters;
        for (int o = first; o < first + group_filters; o++) {
          const Index tap = (static_cast<Index>(o) * g.kernel_height + u) * g.kernel_width + v;
          sum += to_float(from[o]) * to_float(w[tap * group_channels + k]);
        }
      }
    }
    dx[at] = from_float<Element>(sum);
  }
}

// A block an element of the filter; its threads share the pixels of the output.
extern "C" __global__ void conv2d_backward_weight(const Element *__restrict__ x,
                                                  const Element *__restrict__ dy,
                                                  Element *__restrict__ dw,
                                                  const Geometry *__restrict__ geometry) {
  __shared__ float scratch[32];
  const Geometry g = *geometry;
  const int group_channels = g.channels / g.groups, group_filters = g.filters / g.groups;
  const Index taps =
      static_cast<Index>(g.filters) * g.kernel_height * g.kernel_width * group_channels;
  const Index pixels = static_cast<Index>(g.batch) * g.out_height * g.out_width;
  for (Index at = blockIdx.x; at < taps; at += gridDim.x) {
    const int k = static_cast<int>(at % group_channels);
    const int v = static_cast<int>(at / group_channels % g.kernel_width);
    const int u = static_cast<int>(at / group_channels / g.kernel_width % g.kernel_height);
    const int o = static_cast<int>(at / group_channels / g.kernel_width / g.kernel_height);
    const int channel = o / group_filters * group_channels + k;
    float sum = 0.f;
    for (Index pixel = threadIdx.x; pixel < pixels; pixel += blockDim.x) {
      const int j = static_cast<int>(pixel % g.out_width);
      const int i = static_cast<int>(pixel / g.out_width % g.out_height);
      const Index b = pixel / g.out_width / g.out_height;
      const int h = i * g.stride - g.padding + u * g.dilation;
      const int c = j * g.stride - g.padding + v * g.dilation;
      if (h < 0 || h >= g.height || c < 0 || c >= g.width) continue;
      sum += to_float(x[((b * g.height + h) * g.width + c) * g.channels + channel]) *
             to_float(dy[pixel * g.filters + o]);
    }
    const float total = block_sum(sum, scratch);
    if (threadIdx.x == 0) dw[at] = from_float<Element>(total);
  }
}
