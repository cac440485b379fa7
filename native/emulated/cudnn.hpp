// What the exported functions of cuDNN's stand-in share: descriptors and handles.
#pragma once

#include <array>
#include <vector>

#include "convolution.hpp"
#include "device.hpp"
#include "floats.hpp"
#include "handles.hpp"

namespace emulated {

// cudnnStatus_t.
enum CudnnStatus : int {
  kCudnnNotInitialized = 1001,
  kBadParam = 2000,
  kNullPointer = 2002,
  kMisalignedPointer = 2003,
  kNotFinalized = 2004,
  kSizeInsufficient = 2006,
  kShapeMismatch = 2008,
  kWrongType = 2010,
  kWrongDescriptor = 2012,
  kNotSupportedStatus = 3000,
  kNotSupportedPattern = 3001,
  kInternalStatus = 4000,
  kExecutionFailed = 5000,
};

struct TensorDescriptor {
  int type = -1;
  std::vector<int64_t> dims, strides;  // N, C, H, W order
};

struct FilterDescriptor {
  int type = -1, format = 0;
  std::array<int64_t, 4> dims{};  // K, C / groups, R, S
};

struct ConvolutionDescriptor {
  bool set = false;
  int64_t pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w;
  int mode = 0, compute = 0, groups = 1, math = 0;
};

struct ActivationDescriptor {
  int mode = -1;
  double coefficient = 0;
};

struct CudnnHandle {
  Device *device;
  uint64_t stream;
};

Registry<TensorDescriptor> &tensor_descriptors();
Registry<FilterDescriptor> &filter_descriptors();
Registry<ConvolutionDescriptor> &convolution_descriptors();
Registry<ActivationDescriptor> &activation_descriptors();
Registry<CudnnHandle> &cudnn_handles();

// The handle's stream. Throws Failure{kExecutionFailed} when the context is lost.
Stream &stream_of(const CudnnHandle &handle);

// Elements between the first and the last one, and the bytes that they span.
size_t span_bytes(const TensorDescriptor &tensor);
size_t span_bytes(const FilterDescriptor &filter);
// Throws Failure{kBadParam} unless it is a 4-d tensor whose strides were set.
const TensorDescriptor &tensor_at(const void *handle);

// A whole tensor in device memory as packed floats [n, h, w, c] (filters: [k, r, s, c]), and back:
// stored = alpha * values + beta * before.
std::vector<float> read_tensor(const char *what, const TensorDescriptor &tensor, uint64_t data);
// The same as a factor of products, which tensor cores may narrow.
std::vector<float> read_factor(const char *what, const TensorDescriptor &tensor, uint64_t data,
                               bool tensor_cores);
void write_tensor(const char *what, const TensorDescriptor &tensor, uint64_t data,
                  const std::vector<float> &values, float alpha, float beta);
TensorDescriptor as_tensor(const FilterDescriptor &filter);

// Checks x, w, y against each other. Throws Failure with kBadParam or kNotSupportedStatus.
ConvolutionShape convolution_shape(const TensorDescriptor &x, const FilterDescriptor &w,
                                   const ConvolutionDescriptor &convolution,
                                   const TensorDescriptor &y);

template <typename Body>
int cudnn_call(Body &&body) noexcept {
  return guarded(kInternalStatus, body);
}

}  // namespace emulated
