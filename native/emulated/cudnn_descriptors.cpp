// cuDNN: handles and descriptors.
#include <cstring>
#include <map>

#include "cudnn.hpp"
#include "device_memory.hpp"

namespace emulated {

namespace {
constexpr size_t kVersion = 90600;

int64_t out_size(int64_t in, int64_t pad, int64_t filter, int64_t stride, int64_t dilation) {
  return (in + 2 * pad - dilation * (filter - 1) - 1) / stride + 1;
}

void set_tensor(void *handle, int type, std::vector<int64_t> dims, std::vector<int64_t> strides) {
  TensorDescriptor &tensor = tensor_descriptors().at(handle);
  if (!is_float_type(type)) fail(kNotSupportedStatus, "data type %d is not emulated", type);
  for (size_t i = 0; i < dims.size(); i++) {
    if (dims[i] <= 0 || strides[i] <= 0) {
      fail(kBadParam, "dimension %zu of a tensor is %zd with stride %zd", i, size_t(dims[i]),
           size_t(strides[i]));
    }
  }
  tensor = {type, std::move(dims), std::move(strides)};
}

std::vector<int64_t> packed(int format, int64_t c, int64_t h, int64_t w) {
  if (format == 0) return {c * h * w, h * w, w, 1};
  if (format == 1) return {h * w * c, 1, w * c, c};
  fail(kNotSupportedStatus, "tensor format %d is not emulated", format);
}
}  // namespace

#define EMULATED_REGISTRY(function, Type, words)      \
  Registry<Type> &function() {                        \
    static Registry<Type> registry(words, kBadParam); \
    return registry;                                  \
  }
EMULATED_REGISTRY(tensor_descriptors, TensorDescriptor, "tensor descriptor")
EMULATED_REGISTRY(filter_descriptors, FilterDescriptor, "filter descriptor")
EMULATED_REGISTRY(convolution_descriptors, ConvolutionDescriptor, "convolution descriptor")
EMULATED_REGISTRY(activation_descriptors, ActivationDescriptor, "activation descriptor")
EMULATED_REGISTRY(cudnn_handles, CudnnHandle, "cuDNN handle")
#undef EMULATED_REGISTRY

Stream &stream_of(const CudnnHandle &handle) {
  if (handle.device->broken.code) {
    fail(kExecutionFailed, "the context is lost: %s", handle.device->broken.text.c_str());
  }
  if (handle.stream <= 1) return handle.device->legacy_stream;
  if (handle.stream == 2) return handle.device->thread_stream;
  return streams().at(reinterpret_cast<void *>(handle.stream));
}

const TensorDescriptor &tensor_at(const void *handle) {
  const TensorDescriptor &tensor = tensor_descriptors().at(handle);
  if (tensor.dims.size() != 4)
    fail(kBadParam, "a tensor descriptor was not set to four dimensions");
  return tensor;
}

size_t span_bytes(const TensorDescriptor &tensor) {
  int64_t last = 0;
  for (size_t i = 0; i < tensor.dims.size(); i++) last += (tensor.dims[i] - 1) * tensor.strides[i];
  return (last + 1) * bytes_of(tensor.type);
}

size_t span_bytes(const FilterDescriptor &filter) { return span_bytes(as_tensor(filter)); }

TensorDescriptor as_tensor(const FilterDescriptor &filter) {
  if (filter.type < 0) fail(kBadParam, "a filter descriptor was not set");
  auto &d = filter.dims;
  return {filter.type, {d[0], d[1], d[2], d[3]}, packed(filter.format, d[1], d[2], d[3])};
}

template <typename Visit>
void each_element(const TensorDescriptor &t, Visit visit) {
  int64_t i = 0;
  for (int64_t n = 0; n < t.dims[0]; n++) {
    for (int64_t h = 0; h < t.dims[2]; h++) {
      for (int64_t w = 0; w < t.dims[3]; w++) {
        int64_t at = n * t.strides[0] + h * t.strides[2] + w * t.strides[3];
        for (int64_t c = 0; c < t.dims[1]; c++) visit(i++, at + c * t.strides[1]);
      }
    }
  }
}

std::vector<float> read_tensor(const char *what, const TensorDescriptor &tensor, uint64_t data) {
  require_range(what, data, span_bytes(tensor));
  auto &d = tensor.dims;
  std::vector<float> values(d[0] * d[1] * d[2] * d[3]);
  const void *from = reinterpret_cast<const void *>(data);
  if (tensor.type == kFloat && tensor.strides == packed(1, d[1], d[2], d[3])) {
    memcpy(values.data(), from, values.size() * sizeof(float));
    return values;
  }
  each_element(tensor,
               [&](int64_t i, int64_t at) { values[i] = load_float(from, at, tensor.type); });
  return values;
}

std::vector<float> read_factor(const char *what, const TensorDescriptor &tensor, uint64_t data,
                               bool tensor_cores) {
  auto values = read_tensor(what, tensor, data);
  if (tensor_cores && tensor.type == kFloat) {
    for (float &value : values) value = to_tf32(value);
  }
  return values;
}

void write_tensor(const char *what, const TensorDescriptor &tensor, uint64_t data,
                  const std::vector<float> &values, float alpha, float beta) {
  require_range(what, data, span_bytes(tensor));
  void *to = reinterpret_cast<void *>(data);
  each_element(tensor, [&](int64_t i, int64_t at) {
    float before = beta == 0.f ? 0.f : beta * load_float(to, at, tensor.type);
    store_float(to, at, tensor.type, alpha * values[i] + before);
  });
}

ConvolutionShape convolution_shape(const TensorDescriptor &x, const FilterDescriptor &w,
                                   const ConvolutionDescriptor &g, const TensorDescriptor &y) {
  if (!g.set) fail(kBadParam, "the convolution descriptor was not set");
  if (x.type != w.type) fail(kBadParam, "input type %d and filter type %d differ", x.type, w.type);
  int64_t channels = w.dims[1] * g.groups;
  if (x.dims[1] != channels) {
    fail(kBadParam, "the input has %zd channels, filters of %zd in %d groups take %zd",
         size_t(x.dims[1]), size_t(w.dims[1]), g.groups, size_t(channels));
  }
  if (w.dims[0] % g.groups) {
    fail(kBadParam, "%zd filters are not a multiple of %d groups", size_t(w.dims[0]), g.groups);
  }
  int64_t p = out_size(x.dims[2], g.pad_h, w.dims[2], g.stride_h, g.dilation_h);
  int64_t q = out_size(x.dims[3], g.pad_w, w.dims[3], g.stride_w, g.dilation_w);
  const int64_t expected[] = {x.dims[0], w.dims[0], p, q};
  for (int i = 0; i < 4; i++) {
    if (y.dims[i] != expected[i]) {
      fail(kBadParam,
           "the output is [%zd, %zd, %zd, %zd] (N, C, H, W), expected [%zd, %zd, %zd, %zd]",
           size_t(y.dims[0]), size_t(y.dims[1]), size_t(y.dims[2]), size_t(y.dims[3]),
           size_t(expected[0]), size_t(expected[1]), size_t(expected[2]), size_t(expected[3]));
    }
  }
  return {x.dims[0],  x.dims[2],    x.dims[3],    x.dims[1],
          w.dims[0],  w.dims[2],    w.dims[3],    p,
          q,          g.pad_h,      g.pad_w,      g.stride_h,
          g.stride_w, g.dilation_h, g.dilation_w, g.groups,
          g.mode == 0};
}

}  // namespace emulated

using namespace emulated;

EMULATED_API size_t cudnnGetVersion() { return kVersion; }
EMULATED_API size_t cudnnGetCudartVersion() { return 13000; }

EMULATED_API const char *cudnnGetErrorString(int status) {
  static const std::map<int, const char *> names = {
      {0, "CUDNN_STATUS_SUCCESS"},
      {1001, "CUDNN_STATUS_NOT_INITIALIZED"},
      {2000, "CUDNN_STATUS_BAD_PARAM"},
      {2002, "CUDNN_STATUS_BAD_PARAM_NULL_POINTER"},
      {2003, "CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER"},
      {2004, "CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED"},
      {2006, "CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT"},
      {2008, "CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH"},
      {2010, "CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE"},
      {2012, "CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE"},
      {3000, "CUDNN_STATUS_NOT_SUPPORTED"},
      {3001, "CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN"},
      {4000, "CUDNN_STATUS_INTERNAL_ERROR"},
      {5000, "CUDNN_STATUS_EXECUTION_FAILED"}};
  auto found = names.find(status);
  return found == names.end() ? "CUDNN_STATUS_UNKNOWN" : found->second;
}

EMULATED_API void cudnnGetLastErrorString(char *text, size_t bytes) {
  if (!bytes) return;
  strncpy(text, last_report(), bytes - 1);
  text[bytes - 1] = 0;
}

EMULATED_API int cudnnCreate(void **handle) {
  return cudnn_call([&] {
    Device *device = current_device_or_null();
    if (!device) fail(kCudnnNotInitialized, "this thread has no current context");
    *handle = cudnn_handles().add(std::make_unique<CudnnHandle>(CudnnHandle{device, 0}));
  });
}
EMULATED_API int cudnnDestroy(void *handle) {
  return cudnn_call([&] { cudnn_handles().remove(handle); });
}
EMULATED_API int cudnnSetStream(void *handle, uint64_t stream) {
  return cudnn_call([&] {
    if (stream > 2) streams().at(reinterpret_cast<void *>(stream));
    cudnn_handles().at(handle).stream = stream;
  });
}

#define EMULATED_DESCRIPTOR(Name, registry)                                                     \
  EMULATED_API int cudnnCreate##Name##Descriptor(void **handle) {                               \
    return cudnn_call([&] { *handle = registry().add(std::make_unique<Name##Descriptor>()); }); \
  }                                                                                             \
  EMULATED_API int cudnnDestroy##Name##Descriptor(void *handle) {                               \
    return cudnn_call([&] { registry().remove(handle); });                                      \
  }
EMULATED_DESCRIPTOR(Tensor, tensor_descriptors)
EMULATED_DESCRIPTOR(Filter, filter_descriptors)
EMULATED_DESCRIPTOR(Convolution, convolution_descriptors)
EMULATED_DESCRIPTOR(Activation, activation_descriptors)
#undef EMULATED_DESCRIPTOR

EMULATED_API int cudnnSetTensor4dDescriptor(void *handle, int format, int type, int n, int c, int h,
                                            int w) {
  return cudnn_call([&] { set_tensor(handle, type, {n, c, h, w}, packed(format, c, h, w)); });
}
EMULATED_API int cudnnSetTensor4dDescriptorEx(void *handle, int type, int n, int c, int h, int w,
                                              int n_stride, int c_stride, int h_stride,
                                              int w_stride) {
  return cudnn_call(
      [&] { set_tensor(handle, type, {n, c, h, w}, {n_stride, c_stride, h_stride, w_stride}); });
}
EMULATED_API int cudnnSetTensorNdDescriptor(void *handle, int type, int count, const int *dims,
                                            const int *strides) {
  return cudnn_call(
      [&] { set_tensor(handle, type, {dims, dims + count}, {strides, strides + count}); });
}
EMULATED_API int cudnnSetFilter4dDescriptor(void *handle, int type, int format, int k, int c, int r,
                                            int s) {
  return cudnn_call([&] {
    if (!is_float_type(type)) fail(kNotSupportedStatus, "data type %d is not emulated", type);
    if (k <= 0 || c <= 0 || r <= 0 || s <= 0)
      fail(kBadParam, "filters are [%d, %d, %d, %d]", k, c, r, s);
    packed(format, c, r, s);
    filter_descriptors().at(handle) = {type, format, {k, c, r, s}};
  });
}
EMULATED_API int cudnnSetConvolution2dDescriptor(void *handle, int pad_h, int pad_w, int stride_h,
                                                 int stride_w, int dilation_h, int dilation_w,
                                                 int mode, int compute) {
  return cudnn_call([&] {
    if (pad_h < 0 || pad_w < 0 || stride_h <= 0 || stride_w <= 0 || dilation_h <= 0 ||
        dilation_w <= 0) {
      fail(kBadParam, "padding (%d, %d), stride (%d, %d), dilation (%d, %d): dilation 1 is dense",
           pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w);
    }
    ConvolutionDescriptor &found = convolution_descriptors().at(handle);
    found = {true,       pad_h, pad_w,   stride_h,     stride_w,  dilation_h,
             dilation_w, mode,  compute, found.groups, found.math};
  });
}
EMULATED_API int cudnnSetConvolutionGroupCount(void *handle, int groups) {
  return cudnn_call([&] {
    if (groups <= 0) fail(kBadParam, "%d groups", groups);
    convolution_descriptors().at(handle).groups = groups;
  });
}
EMULATED_API int cudnnSetConvolutionMathType(void *handle, int math) {
  return cudnn_call([&] {
    if (math < 0 || math > 3) fail(kBadParam, "math type %d does not exist", math);
    convolution_descriptors().at(handle).math = math;
  });
}
EMULATED_API int cudnnGetConvolutionMathType(void *handle, int *math) {
  return cudnn_call([&] { *math = convolution_descriptors().at(handle).math; });
}
EMULATED_API int cudnnSetActivationDescriptor(void *handle, int mode, int, double coefficient) {
  return cudnn_call([&] { activation_descriptors().at(handle) = {mode, coefficient}; });
}
EMULATED_API int cudnnGetConvolution2dForwardOutputDim(void *convolution, void *x, void *w, int *n,
                                                       int *c, int *h, int *wide) {
  return cudnn_call([&] {
    const ConvolutionDescriptor &g = convolution_descriptors().at(convolution);
    const TensorDescriptor &input = tensor_at(x);
    const FilterDescriptor &filter = filter_descriptors().at(w);
    *n = int(input.dims[0]);
    *c = int(filter.dims[0]);
    *h = int(out_size(input.dims[2], g.pad_h, filter.dims[2], g.stride_h, g.dilation_h));
    *wide = int(out_size(input.dims[3], g.pad_w, filter.dims[3], g.stride_w, g.dilation_w));
  });
}
