/** A pass takes two tensors and gives a third: x, w to y; w, dy to dx; x, dy to dw. */
const ESTIMATE = {
  // handle, first, second, convolution, output, asked, given *, results
  parameters: ["u64", "u64", "u64", "u64", "u64", "i32", "buffer", "buffer"],
  result: "i32",
} as const;
const MEASURE = {
  // handle, first, its memory, second, its memory, convolution, output, its memory, asked, given *,
  // results, workspace, its bytes
  parameters: [
    "u64",
    "u64",
    "u64",
    "u64",
    "u64",
    "u64",
    "u64",
    "u64",
    "i32",
    "buffer",
    "buffer",
    "u64",
    "u64",
  ],
  result: "i32",
} as const;
const RUN = {
  // handle, alpha, first, its memory, second, its memory, convolution, algorithm, workspace, its bytes,
  // beta, output, its memory
  parameters: [
    "u64",
    "buffer",
    "u64",
    "u64",
    "u64",
    "u64",
    "u64",
    "i32",
    "u64",
    "u64",
    "buffer",
    "u64",
    "u64",
  ],
  result: "i32",
} as const;

/** cuDNN's older calls and its graph API, exported by every cuDNN 9. */
export const CUDNN_SYMBOLS = {
  cudnnGetVersion: { parameters: [], result: "u64" }, // -> size_t
  cudnnGetErrorString: { parameters: ["i32"], result: "pointer" }, // cudnnStatus_t -> const char *
  cudnnGetLastErrorString: { parameters: ["buffer", "u64"], result: "void" }, // char *, size_t
  cudnnCreate: { parameters: ["buffer"], result: "i32" }, // cudnnHandle_t *
  cudnnDestroy: { parameters: ["u64"], result: "i32" }, // cudnnHandle_t
  cudnnSetStream: { parameters: ["u64", "u64"], result: "i32" }, // cudnnHandle_t, cudaStream_t
  cudnnCreateTensorDescriptor: { parameters: ["buffer"], result: "i32" }, // cudnnTensorDescriptor_t *
  cudnnDestroyTensorDescriptor: { parameters: ["u64"], result: "i32" },
  // descriptor, type, n, c, h, w, strides of n, c, h, w
  cudnnSetTensor4dDescriptorEx: {
    parameters: ["u64", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
    result: "i32",
  },
  cudnnCreateFilterDescriptor: { parameters: ["buffer"], result: "i32" }, // cudnnFilterDescriptor_t *
  cudnnDestroyFilterDescriptor: { parameters: ["u64"], result: "i32" },
  // descriptor, type, format, k, c, r, s
  cudnnSetFilter4dDescriptor: {
    parameters: ["u64", "i32", "i32", "i32", "i32", "i32", "i32"],
    result: "i32",
  },
  cudnnCreateConvolutionDescriptor: { parameters: ["buffer"], result: "i32" }, // cudnnConvolutionDescriptor_t *
  cudnnDestroyConvolutionDescriptor: { parameters: ["u64"], result: "i32" },
  // descriptor, padding h w, stride h w, dilation h w, mode, compute type
  cudnnSetConvolution2dDescriptor: {
    parameters: ["u64", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
    result: "i32",
  },
  cudnnSetConvolutionGroupCount: { parameters: ["u64", "i32"], result: "i32" },
  cudnnSetConvolutionMathType: { parameters: ["u64", "i32"], result: "i32" },
  cudnnCreateActivationDescriptor: { parameters: ["buffer"], result: "i32" }, // cudnnActivationDescriptor_t *
  cudnnDestroyActivationDescriptor: { parameters: ["u64"], result: "i32" },
  cudnnSetActivationDescriptor: { parameters: ["u64", "i32", "i32", "f64"], result: "i32" }, // mode, NaN, coefficient
  cudnnGetConvolutionForwardAlgorithm_v7: ESTIMATE,
  cudnnGetConvolutionBackwardDataAlgorithm_v7: ESTIMATE,
  cudnnGetConvolutionBackwardFilterAlgorithm_v7: ESTIMATE,
  cudnnFindConvolutionForwardAlgorithmEx: MEASURE,
  cudnnFindConvolutionBackwardDataAlgorithmEx: MEASURE,
  cudnnFindConvolutionBackwardFilterAlgorithmEx: MEASURE,
  cudnnConvolutionForward: RUN,
  cudnnConvolutionBackwardData: RUN,
  cudnnConvolutionBackwardFilter: RUN,
  // handle, alpha1, x, x memory, w, w memory, convolution, algorithm, workspace, its bytes,
  // alpha2, z, z memory, bias, bias memory, activation, y, y memory
  cudnnConvolutionBiasActivationForward: {
    parameters: [
      "u64",
      "buffer",
      "u64",
      "u64",
      "u64",
      "u64",
      "u64",
      "i32",
      "u64",
      "u64",
      "buffer",
      "u64",
      "u64",
      "u64",
      "u64",
      "u64",
      "u64",
      "u64",
    ],
    result: "i32",
  },
  cudnnBackendCreateDescriptor: { parameters: ["i32", "buffer"], result: "i32" }, // type, cudnnBackendDescriptor_t *
  cudnnBackendDestroyDescriptor: { parameters: ["u64"], result: "i32" },
  cudnnBackendFinalize: { parameters: ["u64"], result: "i32" },
  // descriptor, attribute, type of its values, their number, values
  cudnnBackendSetAttribute: {
    parameters: ["u64", "i32", "i32", "i64", "buffer"],
    result: "i32",
  },
  // descriptor, attribute, type of its values, number asked for, number given *, values
  cudnnBackendGetAttribute: {
    parameters: ["u64", "i32", "i32", "i64", "buffer", "buffer"],
    result: "i32",
  },
  cudnnBackendExecute: { parameters: ["u64", "u64", "u64"], result: "i32" }, // handle, plan, variant pack
} as const satisfies Deno.ForeignLibraryInterface;
