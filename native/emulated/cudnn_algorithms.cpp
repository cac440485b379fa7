// cuDNN: which algorithms there are, what they need, and trials of them.
//
// All give the same numbers here. They keep the real ones' marks: which are deterministic, which
// take workspace; the winograd ones refuse what real ones refuse.
#include <cstring>

#include "cudnn.hpp"
#include "cudnn_passes.hpp"
#include "device_memory.hpp"

using namespace emulated;

namespace {

// cudnnConvolution*AlgoPerf_t.
struct Performance {
  int algorithm, status;
  float milliseconds;
  size_t memory;
  int determinism, math, reserved[3];
};
static_assert(sizeof(Performance) == 48, "cudnn_cnn.h");

void list_algorithms(const Pass &pass, int wanted, int *returned, Performance *results) {
  int count = 0;
  for (int algorithm : algorithms_of(pass.kind)) {
    if (count == wanted) break;
    Performance found = {};
    found.algorithm = algorithm;
    found.status = supports(pass, algorithm) ? 0 : kNotSupportedStatus;
    found.milliseconds = found.status ? -1.f : 0.1f * (count + 1);
    found.memory = found.status ? 0 : workspace_bytes(pass, algorithm);
    found.determinism = is_deterministic(pass.kind, algorithm);
    found.math = pass.convolution.math;
    results[count++] = found;
  }
  *returned = count;
}

int list(Kind kind, void *handle, void *first, void *second, void *convolution, void *output,
         int wanted, int *returned, Performance *results) {
  return cudnn_call([&] {
    cudnn_handles().at(handle);
    if (wanted <= 0 || !returned || !results) fail(kBadParam, "no place for results is given");
    list_algorithms(make_pass(kind, first, second, convolution, output), wanted, returned, results);
  });
}

// A trial runs every algorithm, so its operands must be whole and its output is overwritten.
int find(Kind kind, void *handle, void *first, uint64_t first_data, void *second,
         uint64_t second_data, void *convolution, void *output, uint64_t output_data, int wanted,
         int *returned, Performance *results, uint64_t workspace, size_t workspace_size) {
  return cudnn_call([&] {
    CudnnHandle &found = cudnn_handles().at(handle);
    if (wanted <= 0 || !returned || !results) fail(kBadParam, "no place for results is given");
    Stream &stream = stream_of(found);
    if (stream.capture) fail(kNotSupportedStatus, "trials wait for the stream, which is capturing");
    Pass pass = make_pass(kind, first, second, convolution, output);
    require_range("workspace", workspace, workspace_size);
    queue_pass(stream, pass,
               {first_data, second_data, output_data, workspace, workspace_size, 1, 0});
    try {
      drain(stream);
    } catch (const Failure &failure) {
      fail(kExecutionFailed, "%s", failure.text.c_str());
    }
    list_algorithms(pass, wanted, returned, results);
    for (int i = 0; i < *returned; i++) {
      if (results[i].status == 0 && results[i].memory > workspace_size) {
        results[i].status = kSizeInsufficient;
        results[i].milliseconds = -1;
      }
    }
  });
}

int workspace(Kind kind, void *handle, void *first, void *second, void *convolution, void *output,
              int algorithm, size_t *bytes) {
  return cudnn_call([&] {
    cudnn_handles().at(handle);
    Pass pass = make_pass(kind, first, second, convolution, output);
    require_algorithm(pass, algorithm);
    *bytes = workspace_bytes(pass, algorithm);
  });
}

}  // namespace

#define EMULATED_LIST(Name, kind)                                                              \
  EMULATED_API int cudnnGetConvolution##Name##Algorithm_v7(                                    \
      void *handle, void *first, void *second, void *convolution, void *output, int wanted,    \
      int *returned, Performance *results) {                                                   \
    return list(kind, handle, first, second, convolution, output, wanted, returned, results);  \
  }                                                                                            \
  EMULATED_API int cudnnFindConvolution##Name##AlgorithmEx(                                    \
      void *handle, void *first, uint64_t first_data, void *second, uint64_t second_data,      \
      void *convolution, void *output, uint64_t output_data, int wanted, int *returned,        \
      Performance *results, uint64_t workspace, size_t bytes) {                                \
    return find(kind, handle, first, first_data, second, second_data, convolution, output,     \
                output_data, wanted, returned, results, workspace, bytes);                     \
  }                                                                                            \
  EMULATED_API int cudnnGetConvolution##Name##WorkspaceSize(                                   \
      void *handle, void *first, void *second, void *convolution, void *output, int algorithm, \
      size_t *bytes) {                                                                         \
    return workspace(kind, handle, first, second, convolution, output, algorithm, bytes);      \
  }
EMULATED_LIST(Forward, Kind::kForward)
EMULATED_LIST(BackwardData, Kind::kBackwardData)
EMULATED_LIST(BackwardFilter, Kind::kBackwardFilter)
#undef EMULATED_LIST
