import { NativeHandle } from "../../../ffi/handle.ts";
import { type Library, type LibraryOptions, openLibrary } from "../../../ffi/library.ts";
import { cString } from "../../../ffi/memory.ts";
import { CUDNN_SYMBOLS as symbols } from "./cudnn_symbols.ts";
import { type Checked, checker } from "./status.ts";

/** Element types, with the numbers of `cudnnDataType_t`. */
export const CUDNN_TYPE = { float32: 0, bfloat16: 9 } as const;
/** What a convolution may do to its numbers: as fast as the card can, or float32 throughout. */
export const CUDNN_MATH = { default: 0, tensorOp: 1, fma: 3 } as const;
/** `CUDNN_CROSS_CORRELATION`. */
const CROSS_CORRELATION = 1;
/** `CUDNN_TENSOR_NHWC`: filters lie as K, R, S, C. */
const NHWC = 1;
/** `CUDNN_ACTIVATION_RELU` and `CUDNN_ACTIVATION_IDENTITY`. */
const ACTIVATION_MODE = { relu: 1, none: 5 } as const;
/** Bytes of `cudnnConvolutionFwdAlgoPerf_t` and its two siblings. */
const RESULT_BYTES = 48;
/** More results than any direction has algorithms. */
const MOST_RESULTS = 16;

/** Which of a convolution's three passes. */
export type ConvPass = "forward" | "backwardInput" | "backwardWeight";

/** One way to compute a convolution, as cuDNN rates it. */
export interface AlgorithmResult {
  readonly algorithm: number;
  /** 0 where it can be used. */
  readonly status: number;
  /** Measured milliseconds; negative where it was not run. */
  readonly ms: number;
  readonly workspaceBytes: number;
  readonly deterministic: boolean;
  readonly math: number;
}

/** Descriptors of a pass's operands: two inputs, the convolution, the output, in cuDNN's order. */
export interface PassDescriptors {
  readonly first: bigint;
  readonly second: bigint;
  readonly convolution: bigint;
  readonly output: bigint;
}

/** Device memory of a pass, by {@linkcode PassDescriptors}. */
export interface PassMemory {
  readonly first: bigint;
  readonly second: bigint;
  readonly output: bigint;
  readonly workspace: bigint;
  readonly workspaceBytes: number;
}

/** Geometry of a convolution descriptor. */
export interface ConvDescription {
  readonly padding: number;
  readonly stride: number;
  readonly dilation: number;
  readonly groups: number;
  /** A value of {@linkcode CUDNN_MATH}. */
  readonly math: number;
}

const ZERO = new Float32Array([0]);
const ONE = new Float32Array([1]);

const RUN = {
  forward: "cudnnConvolutionForward",
  backwardInput: "cudnnConvolutionBackwardData",
  backwardWeight: "cudnnConvolutionBackwardFilter",
} as const;
const HEURISTICS = {
  forward: "cudnnGetConvolutionForwardAlgorithm_v7",
  backwardInput: "cudnnGetConvolutionBackwardDataAlgorithm_v7",
  backwardWeight: "cudnnGetConvolutionBackwardFilterAlgorithm_v7",
} as const;
const MEASURE = {
  forward: "cudnnFindConvolutionForwardAlgorithmEx",
  backwardInput: "cudnnFindConvolutionBackwardDataAlgorithmEx",
  backwardWeight: "cudnnFindConvolutionBackwardFilterAlgorithmEx",
} as const;

/** `libcudnn`: convolutions. Every status is checked and named. */
export class Cudnn {
  readonly #library: Library<typeof symbols>;
  readonly #check: Checked;

  /** Opens nothing. */
  constructor(places: LibraryOptions) {
    this.#library = openLibrary(places, symbols);
    this.#check = cudnnChecker(this.#library);
  }

  /** The opened file. */
  get location(): string {
    return this.#library.location();
  }

  get #cudnn() {
    return this.#library();
  }

  /** Version, 10 000 · major + 100 · minor + patch. */
  version(): number {
    return Number(this.#cudnn.cudnnGetVersion());
  }

  /** A `cudnnHandle_t` that works in a stream. */
  createHandle(stream: bigint): NativeHandle {
    const handle = this.#create("cudnnCreate", "cudnnDestroy");
    this.#check("cudnnSetStream", this.#cudnn.cudnnSetStream(handle.address, stream));
    return handle;
  }

  /** Describes a tensor `[N, H, W, C]`. */
  tensor(
    [batch, height, width, channels]: readonly number[],
    type: number,
  ): NativeHandle {
    const tensor = this.#create("cudnnCreateTensorDescriptor", "cudnnDestroyTensorDescriptor");
    const row = width * channels;
    this.#check(
      "cudnnSetTensor4dDescriptorEx",
      this.#cudnn.cudnnSetTensor4dDescriptorEx(
        tensor.address,
        type,
        batch,
        channels,
        height,
        width,
        height * row,
        1,
        row,
        channels,
      ),
    );
    return tensor;
  }

  /** Describes filters `[O, kh, kw, C / groups]`. */
  filter([out, height, width, channels]: readonly number[], type: number): NativeHandle {
    const filter = this.#create("cudnnCreateFilterDescriptor", "cudnnDestroyFilterDescriptor");
    this.#check(
      "cudnnSetFilter4dDescriptor",
      this.#cudnn.cudnnSetFilter4dDescriptor(
        filter.address,
        type,
        NHWC,
        out,
        channels,
        height,
        width,
      ),
    );
    return filter;
  }

  /** Describes a convolution; it accumulates in float32. */
  convolution({ padding, stride, dilation, groups, math }: ConvDescription): NativeHandle {
    const convolution = this.#create(
      "cudnnCreateConvolutionDescriptor",
      "cudnnDestroyConvolutionDescriptor",
    );
    const { address } = convolution;
    this.#check(
      "cudnnSetConvolution2dDescriptor",
      this.#cudnn.cudnnSetConvolution2dDescriptor(
        address,
        padding,
        padding,
        stride,
        stride,
        dilation,
        dilation,
        CROSS_CORRELATION,
        CUDNN_TYPE.float32,
      ),
    );
    const grouped = this.#cudnn.cudnnSetConvolutionGroupCount(address, groups);
    this.#check("cudnnSetConvolutionGroupCount", grouped);
    this.setMath(address, math);
    return convolution;
  }

  /** Sets what a convolution may do to its numbers. */
  setMath(convolution: bigint, math: number): void {
    const status = this.#cudnn.cudnnSetConvolutionMathType(convolution, math);
    this.#check("cudnnSetConvolutionMathType", status);
  }

  /** Describes what follows a fused convolution. */
  activation(kind: keyof typeof ACTIVATION_MODE): NativeHandle {
    const activation = this.#create(
      "cudnnCreateActivationDescriptor",
      "cudnnDestroyActivationDescriptor",
    );
    const propagateNan = 1;
    const status = this.#cudnn.cudnnSetActivationDescriptor(
      activation.address,
      ACTIVATION_MODE[kind],
      propagateNan,
      0,
    );
    this.#check("cudnnSetActivationDescriptor", status);
    return activation;
  }

  #create(
    create: {
      [K in keyof typeof symbols]: K extends `cudnnCreate${string}` ? K : never;
    }[keyof typeof symbols],
    destroy: {
      [K in keyof typeof symbols]: K extends `cudnnDestroy${string}` ? K : never;
    }[keyof typeof symbols],
  ): NativeHandle {
    return new NativeHandle(
      (out) => this.#check(create, this.#cudnn[create](out)),
      (address) => this.#check(destroy, this.#cudnn[destroy](address)),
    );
  }

  /** The ways to compute a pass, best first, by cuDNN's heuristics. */
  algorithms(handle: bigint, pass: ConvPass, descriptors: PassDescriptors): AlgorithmResult[] {
    const count = new Int32Array(1);
    const results = new Uint8Array(RESULT_BYTES * MOST_RESULTS);
    const { first, second, convolution, output } = descriptors;
    const status = this.#cudnn[HEURISTICS[pass]](
      handle,
      first,
      second,
      convolution,
      output,
      MOST_RESULTS,
      count,
      results,
    );
    this.#check(HEURISTICS[pass], status);
    return parseResults(results, count[0]);
  }

  /** The ways to compute a pass, fastest first, by trying them; overwrites the output. */
  measure(
    handle: bigint,
    pass: ConvPass,
    descriptors: PassDescriptors,
    memory: PassMemory,
  ): AlgorithmResult[] {
    const count = new Int32Array(1);
    const results = new Uint8Array(RESULT_BYTES * MOST_RESULTS);
    const status = this.#cudnn[MEASURE[pass]](
      handle,
      descriptors.first,
      memory.first,
      descriptors.second,
      memory.second,
      descriptors.convolution,
      descriptors.output,
      memory.output,
      MOST_RESULTS,
      count,
      results,
      memory.workspace,
      BigInt(memory.workspaceBytes),
    );
    this.#check(MEASURE[pass], status);
    return parseResults(results, count[0]);
  }

  /** Queues a pass: output = pass(first, second). */
  run(
    handle: bigint,
    pass: ConvPass,
    { descriptors, memory, algorithm }: {
      readonly descriptors: PassDescriptors;
      readonly memory: PassMemory;
      readonly algorithm: number;
    },
  ): void {
    const status = this.#cudnn[RUN[pass]](
      handle,
      ONE,
      descriptors.first,
      memory.first,
      descriptors.second,
      memory.second,
      descriptors.convolution,
      algorithm,
      memory.workspace,
      BigInt(memory.workspaceBytes),
      ZERO,
      descriptors.output,
      memory.output,
    );
    this.#check(RUN[pass], status);
  }

  /** Queues y = activation(conv(x, w) + residual + bias); without a residual `residual` is 0n. */
  runFused(
    handle: bigint,
    { descriptors, memory, algorithm, residual, bias, biasDescriptor, activation }: {
      readonly descriptors: PassDescriptors;
      readonly memory: PassMemory;
      readonly algorithm: number;
      readonly residual: bigint;
      readonly bias: bigint;
      readonly biasDescriptor: bigint;
      readonly activation: bigint;
    },
  ): void {
    const status = this.#cudnn.cudnnConvolutionBiasActivationForward(
      handle,
      ONE,
      descriptors.first,
      memory.first,
      descriptors.second,
      memory.second,
      descriptors.convolution,
      algorithm,
      memory.workspace,
      BigInt(memory.workspaceBytes),
      residual === 0n ? ZERO : ONE,
      descriptors.output,
      residual === 0n ? memory.output : residual,
      biasDescriptor,
      bias,
      activation,
      descriptors.output,
      memory.output,
    );
    this.#check("cudnnConvolutionBiasActivationForward", status);
  }
}

/** Checks statuses of a library with cuDNN's own words, and what it noted of its newest error. */
export function cudnnChecker(library: Library<typeof symbols>): Checked {
  const lastError = () => {
    const text = new Uint8Array(512);
    library().cudnnGetLastErrorString(text, BigInt(text.length));
    const end = text.indexOf(0);
    return new TextDecoder().decode(text.subarray(0, end < 0 ? text.length : end)).trim();
  };
  return checker((status) => cString(library().cudnnGetErrorString(status)), lastError);
}

/** Reads an array of `cudnnConvolution…AlgoPerf_t`. */
function parseResults(bytes: Uint8Array<ArrayBuffer>, count: number): AlgorithmResult[] {
  return Array.from({ length: count }, (_, i) => {
    const view = new DataView(bytes.buffer, i * RESULT_BYTES, RESULT_BYTES);
    return {
      algorithm: view.getInt32(0, true),
      status: view.getInt32(4, true),
      ms: view.getFloat32(8, true),
      workspaceBytes: Number(view.getBigUint64(16, true)),
      deterministic: view.getInt32(24, true) === 1,
      math: view.getInt32(28, true),
    };
  });
}
