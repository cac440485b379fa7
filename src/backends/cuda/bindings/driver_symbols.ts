/** Enumerators of cuda.h that are in use. */
export const DRIVER_VALUES = {
  CUDA_ERROR_OUT_OF_MEMORY: 2,
  CUDA_ERROR_NOT_READY: 600,
  CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK: 1,
  CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK: 8,
  CU_DEVICE_ATTRIBUTE_WARP_SIZE: 10,
  CU_DEVICE_ATTRIBUTE_CLOCK_RATE: 13,
  CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: 16,
  CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE: 36,
  CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH: 37,
  CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE: 38,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: 75,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: 76,
  CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN: 97,
  CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES: 8,
  CU_STREAM_NON_BLOCKING: 1,
  CU_STREAM_CAPTURE_MODE_RELAXED: 2,
  CU_EVENT_DEFAULT: 0,
  CU_EVENT_DISABLE_TIMING: 2,
} as const;

/** The driver's functions under their exported names (cuda.h hides the versions behind macros). */
export const DRIVER_SYMBOLS = {
  cuInit: { parameters: ["u32"], result: "i32" }, // flags
  cuDriverGetVersion: { parameters: ["buffer"], result: "i32" }, // int *
  cuGetErrorName: { parameters: ["i32", "buffer"], result: "i32" }, // CUresult, const char **
  cuGetErrorString: { parameters: ["i32", "buffer"], result: "i32" }, // CUresult, const char **
  cuDeviceGetCount: { parameters: ["buffer"], result: "i32" }, // int *
  cuDeviceGet: { parameters: ["buffer", "i32"], result: "i32" }, // CUdevice *, ordinal
  cuDeviceGetName: { parameters: ["buffer", "i32", "i32"], result: "i32" }, // char *, length, CUdevice
  cuDeviceGetUuid_v2: { parameters: ["buffer", "i32"], result: "i32" }, // CUuuid *, CUdevice
  cuDeviceTotalMem_v2: { parameters: ["buffer", "i32"], result: "i32" }, // size_t *, CUdevice
  cuDeviceGetAttribute: { parameters: ["buffer", "i32", "i32"], result: "i32" }, // int *, attribute, CUdevice
  cuDevicePrimaryCtxRetain: { parameters: ["buffer", "i32"], result: "i32" }, // CUcontext *, CUdevice
  cuDevicePrimaryCtxRelease_v2: { parameters: ["i32"], result: "i32" }, // CUdevice
  cuCtxSetCurrent: { parameters: ["u64"], result: "i32" }, // CUcontext
  cuCtxSynchronize: { parameters: [], result: "i32" },
  cuMemGetInfo_v2: { parameters: ["buffer", "buffer"], result: "i32" }, // size_t *free, size_t *total
  cuMemAlloc_v2: { parameters: ["buffer", "u64"], result: "i32" }, // CUdeviceptr *, size_t
  cuMemFree_v2: { parameters: ["u64"], result: "i32" }, // CUdeviceptr
  cuMemHostAlloc: { parameters: ["buffer", "u64", "u32"], result: "i32" }, // void **, size_t, flags
  cuMemHostRegister_v2: { parameters: ["u64", "u64", "u32"], result: "i32" }, // void *, size_t, flags
  cuMemHostUnregister: { parameters: ["u64"], result: "i32" }, // void *
  cuMemFreeHost: { parameters: ["u64"], result: "i32" }, // void *
  cuMemcpyHtoDAsync_v2: { parameters: ["u64", "buffer", "u64", "u64"], result: "i32" }, // CUdeviceptr, const void *, size_t, CUstream
  cuMemcpyDtoHAsync_v2: { parameters: ["buffer", "u64", "u64", "u64"], result: "i32" }, // void *, CUdeviceptr, size_t, CUstream
  cuMemcpyDtoDAsync_v2: { parameters: ["u64", "u64", "u64", "u64"], result: "i32" }, // to, from, size_t, CUstream
  cuMemsetD8Async: { parameters: ["u64", "u8", "u64", "u64"], result: "i32" }, // CUdeviceptr, value, count, CUstream
  cuMemsetD16Async: { parameters: ["u64", "u16", "u64", "u64"], result: "i32" }, // CUdeviceptr, value, count, CUstream
  cuMemsetD32Async: { parameters: ["u64", "u32", "u64", "u64"], result: "i32" }, // CUdeviceptr, value, count, CUstream
  cuStreamCreate: { parameters: ["buffer", "u32"], result: "i32" }, // CUstream *, flags
  cuStreamDestroy_v2: { parameters: ["u64"], result: "i32" }, // CUstream
  cuStreamSynchronize: { parameters: ["u64"], result: "i32" }, // CUstream
  cuStreamWaitEvent: { parameters: ["u64", "u64", "u32"], result: "i32" }, // CUstream, CUevent, flags
  cuStreamBeginCapture_v2: { parameters: ["u64", "i32"], result: "i32" }, // CUstream, CUstreamCaptureMode
  cuStreamEndCapture: { parameters: ["u64", "buffer"], result: "i32" }, // CUstream, CUgraph *
  cuEventCreate: { parameters: ["buffer", "u32"], result: "i32" }, // CUevent *, flags
  cuEventDestroy_v2: { parameters: ["u64"], result: "i32" }, // CUevent
  cuEventRecord: { parameters: ["u64", "u64"], result: "i32" }, // CUevent, CUstream
  cuEventQuery: { parameters: ["u64"], result: "i32" }, // CUevent
  cuEventSynchronize: { parameters: ["u64"], result: "i32" }, // CUevent
  cuEventElapsedTime: { parameters: ["buffer", "u64", "u64"], result: "i32" }, // float *ms, CUevent, CUevent
  cuModuleLoadData: { parameters: ["buffer", "buffer"], result: "i32" }, // CUmodule *, const void *image
  cuModuleGetFunction: { parameters: ["buffer", "u64", "buffer"], result: "i32" }, // CUfunction *, CUmodule, const char *
  cuModuleUnload: { parameters: ["u64"], result: "i32" }, // CUmodule
  cuFuncSetAttribute: { parameters: ["u64", "i32", "i32"], result: "i32" }, // CUfunction, attribute, value
  cuFuncGetAttribute: { parameters: ["buffer", "i32", "u64"], result: "i32" }, // int *, attribute, CUfunction
  cuLaunchKernel: {
    // CUfunction, grid x y z, block x y z, dynamic shared bytes, CUstream, void **parameters, void **extra
    parameters: [
      "u64",
      "u32",
      "u32",
      "u32",
      "u32",
      "u32",
      "u32",
      "u32",
      "u64",
      "buffer",
      "buffer",
    ],
    result: "i32",
  },
  cuGraphInstantiateWithFlags: { parameters: ["buffer", "u64", "u64"], result: "i32" }, // CUgraphExec *, CUgraph, flags
  cuGraphLaunch: { parameters: ["u64", "u64"], result: "i32" }, // CUgraphExec, CUstream
  cuGraphExecDestroy: { parameters: ["u64"], result: "i32" }, // CUgraphExec
  cuGraphDestroy: { parameters: ["u64"], result: "i32" }, // CUgraph
} as const satisfies Deno.ForeignLibraryInterface;
