// Driver API: initialisation, devices, the primary context, errors.
#include <cstdio>
#include <cstring>
#include <map>

#include "device.hpp"
#include "device_memory.hpp"
#include "driver_call.hpp"
#include "graph.hpp"
#include "launch.hpp"

using namespace emulated;

namespace {

constexpr int kDriverVersion = 13000;
constexpr int kMajor = 9, kMinor = 0;

// CUdevice_attribute -> value, for an imaginary card of compute capability 9.0.
const std::map<int, int> kAttributes = {
    {1, kMostThreads},
    {2, kMostBlockXY},
    {3, kMostBlockXY},
    {4, kMostBlockZ},
    {5, static_cast<int>(kMostGridX)},
    {6, kMostGridYZ},
    {7, kMostGridYZ},
    {8, static_cast<int>(kMostPlainShared)},
    {9, 64 << 10},
    {10, kWarpSize},
    {12, 64 << 10},
    {13, 1000000},
    {16, 2},
    {20, 0},
    {36, 1000000},
    {37, 128},
    {38, 1 << 20},
    {39, 2048},
    {40, 2},
    {41, 1},
    {75, kMajor},
    {76, kMinor},
    {81, 228 << 10},
    {83, 0},
    {97, kMostShared},
    {105, 1024},
    {106, 32},
    {115, 1},
};

const std::map<int, std::pair<const char *, const char *>> kErrors = {
    {0, {"CUDA_SUCCESS", "no error"}},
    {1, {"CUDA_ERROR_INVALID_VALUE", "invalid argument"}},
    {2, {"CUDA_ERROR_OUT_OF_MEMORY", "out of memory"}},
    {3, {"CUDA_ERROR_NOT_INITIALIZED", "initialization error"}},
    {101, {"CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"}},
    {200, {"CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"}},
    {201, {"CUDA_ERROR_INVALID_CONTEXT", "invalid device context"}},
    {209, {"CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for the device"}},
    {400, {"CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"}},
    {500, {"CUDA_ERROR_NOT_FOUND", "named symbol not found"}},
    {600, {"CUDA_ERROR_NOT_READY", "device not ready"}},
    {700, {"CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"}},
    {701, {"CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested for launch"}},
    {710, {"CUDA_ERROR_ASSERT", "device-side assert triggered"}},
    {712, {"CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED", "host memory is registered already"}},
    {713, {"CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED", "host memory is not registered"}},
    {716, {"CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"}},
    {719, {"CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"}},
    {801, {"CUDA_ERROR_NOT_SUPPORTED", "operation not supported"}},
    {900,
     {"CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"}},
    {901,
     {"CUDA_ERROR_STREAM_CAPTURE_INVALIDATED",
      "operation failed due to a previous error during capture"}},
    {903, {"CUDA_ERROR_STREAM_CAPTURE_UNMATCHED", "capture was not initiated in this stream"}},
    {904, {"CUDA_ERROR_STREAM_CAPTURE_UNJOINED", "capturing stream has unjoined work"}},
    {905,
     {"CUDA_ERROR_STREAM_CAPTURE_ISOLATION",
      "dependency created on uncaptured work in another stream"}},
    {906,
     {"CUDA_ERROR_STREAM_CAPTURE_IMPLICIT",
      "operation would make the legacy stream depend on a capturing blocking stream"}},
    {907,
     {"CUDA_ERROR_CAPTURED_EVENT",
      "operation not permitted on an event last recorded in a capturing stream"}},
    {910, {"CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE", "the graph update was not performed"}},
    {999, {"CUDA_ERROR_UNKNOWN", "unknown error"}},
};

}  // namespace

EMULATED_API int cuInit(unsigned flags) {
  return driver_call([&] {
    if (flags) fail(kInvalidValue, "cuInit's flags must be 0");
    initialise();
  });
}

EMULATED_API int cuDriverGetVersion(int *version) {
  *version = kDriverVersion;
  return kSuccess;
}

EMULATED_API int cuDeviceGetCount(int *count) {
  return driver_call([&] {
    if (!is_initialised()) fail(kNotInitialized, "cuInit was not called");
    *count = device_count();
  });
}

EMULATED_API int cuDeviceGet(int *device, int ordinal) {
  return driver_call([&] { *device = device_at(ordinal).number; });
}

EMULATED_API int cuDeviceGetName(char *name, int length, int device) {
  return driver_call([&] {
    device_at(device);
    snprintf(name, length, "Emulated device");
  });
}

EMULATED_API int cuDeviceGetUuid_v2(unsigned char *uuid, int device) {
  return driver_call([&] {
    device_at(device);
    memset(uuid, 0xE0, 15);
    uuid[15] = static_cast<unsigned char>(device);
  });
}

EMULATED_API int cuDeviceTotalMem_v2(size_t *bytes, int device) {
  return driver_call([&] {
    device_at(device);
    *bytes = memory_limit();
  });
}

EMULATED_API int cuDeviceGetAttribute(int *value, int attribute, int device) {
  return driver_call([&] {
    device_at(device);
    auto found = kAttributes.find(attribute);
    *value = found == kAttributes.end() ? 0 : found->second;
  });
}

EMULATED_API int cuDevicePrimaryCtxRetain(void **context, int device) {
  return driver_call([&] {
    Device &found = device_at(device);
    found.retained++;
    *context = &found;
  });
}

EMULATED_API int cuDevicePrimaryCtxRelease_v2(int device) {
  return driver_call([&] {
    Device &found = device_at(device);
    if (found.retained == 0) fail(kInvalidContext, "the primary context is not retained");
    if (--found.retained == 0) reset(found);
  });
}

EMULATED_API int cuDevicePrimaryCtxReset_v2(int device) {
  return driver_call([&] { reset(device_at(device)); });
}

EMULATED_API int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned) {
  return driver_call([&] { device_at(device); });
}

EMULATED_API int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) {
  return driver_call([&] {
    *flags = 0;
    *active = device_at(device).retained > 0;
  });
}

EMULATED_API int cuCtxSetCurrent(void *context) {
  return driver_call([&] {
    for (int i = 0; context && i < device_count(); i++) {
      if (&device_at(i) == context) return set_current_device(&device_at(i));
    }
    if (context) fail(kInvalidContext, "0x%zx is no context", size_t(context));
    set_current_device(nullptr);
  });
}

EMULATED_API int cuCtxGetCurrent(void **context) {
  *context = current_device_or_null();
  return kSuccess;
}

EMULATED_API int cuCtxGetDevice(int *device) {
  return driver_call([&] { *device = current_device().number; });
}

EMULATED_API int cuCtxSynchronize() {
  return driver_call([&] {
    Device &device = current_device();
    require_no_capture("cuCtxSynchronize");
    drain(device);
  });
}

EMULATED_API int cuGetErrorName(int code, const char **name) {
  auto found = kErrors.find(code);
  *name = found == kErrors.end() ? nullptr : found->second.first;
  return *name ? kSuccess : kInvalidValue;
}

// Beyond a real driver's words, those of the failure that this thread met last, if it is that one.
EMULATED_API int cuGetErrorString(int code, const char **text) {
  static thread_local std::string words;
  auto found = kErrors.find(code);
  *text = nullptr;
  if (found == kErrors.end()) return kInvalidValue;
  const char *detail = last_report_of(code);
  words = found->second.second;
  if (detail) words += std::string(": ") + detail;
  *text = words.c_str();
  return kSuccess;
}
