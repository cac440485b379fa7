// The three products of a convolution, by rows of patches and one matrix product a group.
//
//   y[n, p, q, k] = sum over r, s, c of x[n, p * stride - pad + r * dilation, ..., c] * w[k, r, s, c]
//
// Tensors are float, x and y as [n, h, w, c], w as [k, r, s, c / groups], all packed.
#pragma once

#include <cstdint>

namespace emulated {

struct ConvolutionShape {
  int64_t n, h, w, c;  // input
  int64_t k, r, s;     // filters
  int64_t p, q;        // output
  int64_t pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w, groups;
  bool flipped;  // true convolution: the filter is turned by 180 degrees
};

void convolve_forward(const ConvolutionShape &shape, const float *x, const float *w, float *y);
void convolve_backward_data(const ConvolutionShape &shape, const float *w, const float *dy,
                            float *dx);
void convolve_backward_filter(const ConvolutionShape &shape, const float *x, const float *dy,
                              float *dw);

}  // namespace emulated
