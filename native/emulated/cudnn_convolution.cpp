// cuDNN: the convolution's passes, alone and with bias, residual and activation.
#include <cmath>

#include "cudnn.hpp"
#include "cudnn_passes.hpp"

using namespace emulated;

namespace {

constexpr int kRelu = 1, kIdentity = 5, kPrecomputedGemm = 1;

int convolve(Kind kind, void *handle, const float *alpha, void *first, uint64_t first_data,
             void *second, uint64_t second_data, void *convolution, int algorithm,
             uint64_t workspace, size_t bytes, const float *beta, void *output,
             uint64_t output_data) {
  return cudnn_call([&] {
    CudnnHandle &found = cudnn_handles().at(handle);
    if (!alpha || !beta) fail(kNullPointer, "alpha or beta is NULL");
    if (!first_data || !second_data || !output_data)
      fail(kNullPointer, "a tensor's address is NULL");
    Pass pass = make_pass(kind, first, second, convolution, output);
    require_algorithm(pass, algorithm);
    Operands operands{first_data, second_data, output_data, workspace, bytes, *alpha, *beta};
    require_workspace(pass, algorithm, operands);
    queue_pass(stream_of(found), pass, operands);
  });
}

struct Tail {
  float residual_scale;
  uint64_t residual, bias;
  TensorDescriptor residual_shape, bias_shape;
  int activation;
};

void run_fused(const Pass &pass, const Operands &at, const Tail &tail) {
  const ConvolutionShape &s = pass.shape;
  bool narrowed = uses_tensor_cores(pass);
  auto x = read_factor("convolution: x", pass.x, at.first, narrowed);
  auto w = read_factor("convolution: w", as_tensor(pass.w), at.second, narrowed);
  auto bias = read_tensor("convolution: bias", tail.bias_shape, tail.bias);
  std::vector<float> residual;
  if (tail.residual_scale != 0)
    residual = read_tensor("convolution: z", tail.residual_shape, tail.residual);
  std::vector<float> y(s.n * s.p * s.q * s.k);
  convolve_forward(s, x.data(), w.data(), y.data());
  for (size_t i = 0; i < y.size(); i++) {
    float value = at.alpha * y[i] + bias[i % s.k];
    if (tail.residual_scale != 0) value += tail.residual_scale * residual[i];
    y[i] = tail.activation == kRelu && value < 0 ? 0.f : value;
  }
  write_tensor("convolution: y", pass.y, at.output, y, 1, 0);
}

void require_tail(const Pass &pass, const Tail &tail, int algorithm) {
  const auto &bias = tail.bias_shape.dims;
  if (bias[0] != 1 || bias[1] != pass.shape.k || bias[2] != 1 || bias[3] != 1) {
    fail(kBadParam, "the bias is [%zd, %zd, %zd, %zd], expected [1, %zd, 1, 1]", size_t(bias[0]),
         size_t(bias[1]), size_t(bias[2]), size_t(bias[3]), size_t(pass.shape.k));
  }
  if (tail.bias_shape.type != pass.y.type) {
    fail(kBadParam, "the bias has type %d, y %d", tail.bias_shape.type, pass.y.type);
  }
  if (tail.residual_shape.dims != pass.y.dims) fail(kBadParam, "z and y have different shapes");
  if (tail.activation != kRelu && tail.activation != kIdentity) {
    fail(kNotSupportedStatus, "activation %d is not done in the same pass", tail.activation);
  }
  if (tail.activation == kIdentity && algorithm != kPrecomputedGemm) {
    fail(kNotSupportedStatus, "without an activation only IMPLICIT_PRECOMP_GEMM adds a bias");
  }
}

}  // namespace

#define EMULATED_PASS(Name, kind)                                                               \
  EMULATED_API int cudnnConvolution##Name(                                                      \
      void *handle, const float *alpha, void *first, uint64_t first_data, void *second,         \
      uint64_t second_data, void *convolution, int algorithm, uint64_t workspace, size_t bytes, \
      const float *beta, void *output, uint64_t output_data) {                                  \
    return convolve(kind, handle, alpha, first, first_data, second, second_data, convolution,   \
                    algorithm, workspace, bytes, beta, output, output_data);                    \
  }
EMULATED_PASS(Forward, Kind::kForward)
EMULATED_PASS(BackwardData, Kind::kBackwardData)
EMULATED_PASS(BackwardFilter, Kind::kBackwardFilter)
#undef EMULATED_PASS

EMULATED_API int cudnnConvolutionBiasActivationForward(
    void *handle, const float *alpha1, void *x, uint64_t x_data, void *w, uint64_t w_data,
    void *convolution, int algorithm, uint64_t workspace, size_t bytes, const float *alpha2,
    void *z, uint64_t z_data, void *bias, uint64_t bias_data, void *activation, void *y,
    uint64_t y_data) {
  return cudnn_call([&] {
    CudnnHandle &found = cudnn_handles().at(handle);
    if (!alpha1 || !alpha2) fail(kNullPointer, "alpha1 or alpha2 is NULL");
    if (!x_data || !w_data || !bias_data || !y_data)
      fail(kNullPointer, "a tensor's address is NULL");
    Pass pass = make_pass(Kind::kForward, x, w, convolution, y);
    require_algorithm(pass, algorithm);
    Operands operands{x_data, w_data, y_data, workspace, bytes, *alpha1, 0};
    require_workspace(pass, algorithm, operands);
    Tail tail{*alpha2,      z_data,          bias_data,
              tensor_at(z), tensor_at(bias), activation_descriptors().at(activation).mode};
    require_tail(pass, tail, algorithm);
    submit(stream_of(found), {Task::kLibrary,
                              "cudnnConvolutionBiasActivationForward",
                              [=] { run_fused(pass, operands, tail); },
                              nullptr,
                              {}});
  });
}

EMULATED_API int cudnnConvolutionBackwardBias(void *handle, const float *alpha, void *dy,
                                              uint64_t dy_data, const float *beta, void *db,
                                              uint64_t db_data) {
  return cudnn_call([&] {
    CudnnHandle &found = cudnn_handles().at(handle);
    TensorDescriptor from = tensor_at(dy), to = tensor_at(db);
    if (to.dims[1] != from.dims[1]) fail(kBadParam, "the bias and dy have different channels");
    float a = *alpha, b = *beta;
    submit(stream_of(found), {Task::kLibrary,
                              "cudnnConvolutionBackwardBias",
                              [=] {
                                auto values = read_tensor("bias gradient: dy", from, dy_data);
                                std::vector<float> sums(from.dims[1]);
                                for (size_t i = 0; i < values.size(); i++)
                                  sums[i % sums.size()] += values[i];
                                write_tensor("bias gradient: db", to, db_data, sums, a, b);
                              },
                              nullptr,
                              {}});
  });
}
