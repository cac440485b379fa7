#include "cudnn_passes.hpp"

#include "device_memory.hpp"

namespace emulated {

namespace {

constexpr int kWinograd = 6, kWinogradNonfused = 7;  // forward
constexpr int kFmaMath = 3;
constexpr int kGradientWinograd = 4, kGradientNonfused = 5;

TensorDescriptor filter_tensor(const FilterDescriptor &w) { return as_tensor(w); }

std::vector<float> factor(const char *what, const Pass &pass, const TensorDescriptor &tensor,
                          uint64_t data) {
  return read_factor(what, tensor, data, uses_tensor_cores(pass));
}

void run_forward(const Pass &pass, const Operands &at) {
  auto x = factor("convolution: x", pass, pass.x, at.first);
  auto w = factor("convolution: w", pass, filter_tensor(pass.w), at.second);
  std::vector<float> y(pass.shape.n * pass.shape.p * pass.shape.q * pass.shape.k);
  convolve_forward(pass.shape, x.data(), w.data(), y.data());
  write_tensor("convolution: y", pass.y, at.output, y, at.alpha, at.beta);
}

void run_backward_data(const Pass &pass, const Operands &at) {
  auto w = factor("convolution: w", pass, filter_tensor(pass.w), at.first);
  auto dy = factor("convolution: dy", pass, pass.y, at.second);
  std::vector<float> dx(pass.shape.n * pass.shape.h * pass.shape.w * pass.shape.c);
  convolve_backward_data(pass.shape, w.data(), dy.data(), dx.data());
  write_tensor("convolution: dx", pass.x, at.output, dx, at.alpha, at.beta);
}

void run_backward_filter(const Pass &pass, const Operands &at) {
  auto x = factor("convolution: x", pass, pass.x, at.first);
  auto dy = factor("convolution: dy", pass, pass.y, at.second);
  const ConvolutionShape &s = pass.shape;
  std::vector<float> dw(s.k * s.r * s.s * s.c / s.groups);
  convolve_backward_filter(s, x.data(), dy.data(), dw.data());
  write_tensor("convolution: dw", filter_tensor(pass.w), at.output, dw, at.alpha, at.beta);
}

void run_pass(const Pass &pass, const Operands &at) {
  // A real algorithm writes all over its workspace.
  require_range("convolution: workspace", at.workspace, at.workspace_bytes);
  switch (pass.kind) {
    case Kind::kForward:
      return run_forward(pass, at);
    case Kind::kBackwardData:
      return run_backward_data(pass, at);
    case Kind::kBackwardFilter:
      return run_backward_filter(pass, at);
  }
}

}  // namespace

Pass make_pass(Kind kind, const void *first, const void *second, const void *convolution,
               const void *output) {
  const void *x = kind == Kind::kBackwardData ? output : first;
  const void *y = kind == Kind::kForward ? output : second;
  const void *w = kind == Kind::kForward ? second : kind == Kind::kBackwardData ? first : output;
  Pass pass{kind,
            tensor_at(x),
            tensor_at(y),
            filter_descriptors().at(w),
            convolution_descriptors().at(convolution),
            {}};
  pass.shape = convolution_shape(pass.x, pass.w, pass.convolution, pass.y);
  if (pass.x.type != pass.y.type) {
    fail(kBadParam, "tensor types %d and %d differ", pass.x.type, pass.y.type);
  }
  return pass;
}

bool uses_tensor_cores(const Pass &pass) { return pass.convolution.math != kFmaMath; }

void queue_pass(Stream &stream, const Pass &pass, const Operands &operands) {
  const char *names[] = {"cudnnConvolutionForward", "cudnnConvolutionBackwardData",
                         "cudnnConvolutionBackwardFilter"};
  submit(stream,
         {Task::kLibrary, names[int(pass.kind)], [=] { run_pass(pass, operands); }, nullptr, {}});
}

std::vector<int> algorithms_of(Kind kind) {
  if (kind == Kind::kForward) return {1, 7, 0, 6, 2};
  if (kind == Kind::kBackwardData) return {1, 5, 0, 4};
  return {1, 5, 0, 3};
}

bool is_deterministic(Kind kind, int algorithm) {
  if (kind == Kind::kForward) return true;
  return algorithm != 0 && !(kind == Kind::kBackwardFilter && algorithm == 3);
}

bool supports(const Pass &pass, int algorithm) {
  bool known = false;
  for (int other : algorithms_of(pass.kind)) known |= other == algorithm;
  bool winograd = pass.kind == Kind::kForward
                      ? algorithm == kWinograd || algorithm == kWinogradNonfused
                      : algorithm == kGradientWinograd || algorithm == kGradientNonfused;
  const ConvolutionShape &s = pass.shape;
  bool small = s.r == 3 && s.s == 3 && s.stride_h == 1 && s.stride_w == 1 && s.dilation_h == 1 &&
               s.dilation_w == 1 && s.groups == 1;
  return known && (!winograd || small);
}

size_t workspace_bytes(const Pass &pass, int algorithm) {
  const ConvolutionShape &s = pass.shape;
  size_t patches = size_t(s.r * s.s * s.c) * s.p * s.q * 4;
  return algorithm == 0 ? 0 : algorithm == 1 ? 256 + s.r * s.s * 4 : patches;
}

void require_algorithm(const Pass &pass, int algorithm) {
  if (!supports(pass, algorithm)) {
    fail(kNotSupportedStatus, "algorithm %d does not do this convolution", algorithm);
  }
}

void require_workspace(const Pass &pass, int algorithm, const Operands &operands) {
  size_t needed = workspace_bytes(pass, algorithm);
  if (operands.workspace_bytes < needed || (needed && !operands.workspace)) {
    fail(kSizeInsufficient, "algorithm %d needs %zu bytes of workspace, %zu are given", algorithm,
         needed, operands.workspace_bytes);
  }
}

}  // namespace emulated
