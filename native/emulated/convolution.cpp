#include "convolution.hpp"

#include <cstring>
#include <vector>

#include "gemm.hpp"

namespace emulated {

namespace {

// Calls visit(row of patches, pixel of x) for each filter tap that lies inside the picture.
template <typename Visit>
void each_tap(const ConvolutionShape &g, int64_t n, Visit visit) {
  for (int64_t p = 0; p < g.p; p++) {
    for (int64_t q = 0; q < g.q; q++) {
      for (int64_t r = 0; r < g.r; r++) {
        int64_t y = p * g.stride_h - g.pad_h + r * g.dilation_h;
        if (y < 0 || y >= g.h) continue;
        for (int64_t s = 0; s < g.s; s++) {
          int64_t x = q * g.stride_w - g.pad_w + s * g.dilation_w;
          if (x < 0 || x >= g.w) continue;
          int64_t tap = g.flipped ? (g.r - 1 - r) * g.s + g.s - 1 - s : r * g.s + s;
          visit((p * g.q + q) * g.r * g.s + tap, (n * g.h + y) * g.w + x);
        }
      }
    }
  }
}

// A 1 x 1 filter with stride 1 and no padding needs no patches: x is the matrix.
bool is_plain(const ConvolutionShape &g) {
  return g.r == 1 && g.s == 1 && g.stride_h == 1 && g.stride_w == 1 && !g.pad_h && !g.pad_w;
}

// patches[p * q][r * s][c of the group], zero outside the picture.
void gather(const ConvolutionShape &g, const float *x, int64_t n, int64_t group,
            std::vector<float> &out) {
  int64_t depth = g.c / g.groups;
  std::fill(out.begin(), out.end(), 0.f);
  each_tap(g, n, [&](int64_t row, int64_t pixel) {
    memcpy(&out[row * depth], x + pixel * g.c + group * depth, depth * sizeof(float));
  });
}

void scatter(const ConvolutionShape &g, const std::vector<float> &patches, int64_t n, int64_t group,
             float *x) {
  int64_t depth = g.c / g.groups;
  each_tap(g, n, [&](int64_t row, int64_t pixel) {
    const float *from = &patches[row * depth];
    float *to = x + pixel * g.c + group * depth;
    for (int64_t c = 0; c < depth; c++) to[c] += from[c];
  });
}

struct Sizes {
  int64_t pixels, taps, depth, filters;
};
Sizes sizes_of(const ConvolutionShape &g) {
  int64_t depth = g.c / g.groups;
  return {g.p * g.q, g.r * g.s * depth, depth, g.k / g.groups};
}

}  // namespace

void convolve_forward(const ConvolutionShape &g, const float *x, const float *w, float *y) {
  Sizes z = sizes_of(g);
  bool plain = is_plain(g);
  std::vector<float> patches(plain ? 0 : z.pixels * z.taps);
  for (int64_t n = 0; n < g.n; n++) {
    for (int64_t group = 0; group < g.groups; group++) {
      if (!plain) gather(g, x, n, group, patches);
      Matrix a = plain ? Matrix{x + n * g.h * g.w * g.c + group * z.depth, g.c, 1}
                       : Matrix{patches.data(), z.taps, 1};
      gemm(z.pixels, z.filters, z.taps, 1, a, {w + group * z.filters * z.taps, 1, z.taps}, 0,
           y + n * z.pixels * g.k + group * z.filters, g.k, 1);
    }
  }
}

void convolve_backward_data(const ConvolutionShape &g, const float *w, const float *dy, float *dx) {
  Sizes z = sizes_of(g);
  std::vector<float> patches(z.pixels * z.taps);
  std::fill(dx, dx + g.n * g.h * g.w * g.c, 0.f);
  for (int64_t n = 0; n < g.n; n++) {
    for (int64_t group = 0; group < g.groups; group++) {
      gemm(z.pixels, z.taps, z.filters, 1, {dy + n * z.pixels * g.k + group * z.filters, g.k, 1},
           {w + group * z.filters * z.taps, z.taps, 1}, 0, patches.data(), z.taps, 1);
      scatter(g, patches, n, group, dx);
    }
  }
}

void convolve_backward_filter(const ConvolutionShape &g, const float *x, const float *dy,
                              float *dw) {
  Sizes z = sizes_of(g);
  bool plain = is_plain(g);
  std::vector<float> patches(plain ? 0 : z.pixels * z.taps);
  std::fill(dw, dw + g.k * z.taps, 0.f);
  for (int64_t n = 0; n < g.n; n++) {
    for (int64_t group = 0; group < g.groups; group++) {
      if (!plain) gather(g, x, n, group, patches);
      Matrix b = plain ? Matrix{x + n * g.h * g.w * g.c + group * z.depth, g.c, 1}
                       : Matrix{patches.data(), z.taps, 1};
      gemm(z.filters, z.taps, z.pixels, 1, {dy + n * z.pixels * g.k + group * z.filters, 1, g.k}, b,
           1, dw + group * z.filters * z.taps, z.taps, 1);
    }
  }
}

}  // namespace emulated
