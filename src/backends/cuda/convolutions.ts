import type { NativeHandle } from "../../ffi/handle.ts";
import type { ConvGeometry } from "../../ops/conv2d.ts";
import {
  type AlgorithmResult,
  type ConvPass,
  type Cudnn,
  CUDNN_MATH,
  CUDNN_TYPE,
  type PassDescriptors,
} from "./bindings/cudnn.ts";
import { CudaError } from "./bindings/status.ts";
import type { Driver } from "./bindings/driver.ts";
import type { DeviceBlock, MemoryPool } from "./memory_pool.ts";

/** How float32 tensors are computed with: as they are, in TF32 products, or stored as bfloat16. */
export type Precision = "float32" | "tf32" | "bf16";

/** A convolution's three shapes, its geometry and the format of all three. */
export interface ConvProblem {
  readonly pass: ConvPass;
  /** `[B, H, W, C]`. */
  readonly x: readonly number[];
  /** `[O, kh, kw, C / groups]`. */
  readonly weight: readonly number[];
  /** `[B, Ho, Wo, O]`. */
  readonly y: readonly number[];
  readonly geometry: ConvGeometry;
  readonly format: "float32" | "bfloat16";
}

/** Addresses of a pass's operands, in cuDNN's order: inputs, then the output. */
export interface ConvOperands {
  readonly first: bigint;
  readonly second: bigint;
  readonly output: bigint;
}

/** What is added to and done with a convolution's result. */
export interface ConvTail {
  readonly bias: bigint;
  /** 0n for none. */
  readonly residual: bigint;
  readonly activation: "none" | "relu";
}

interface Plan {
  readonly descriptors: PassDescriptors;
  readonly algorithm: number;
  readonly workspaceBytes: number;
  /** Whether cuDNN has refused to do the tail in the same pass. */
  unfused: boolean;
}

/** Options of {@linkcode Convolutions}. */
export interface ConvolutionOptions {
  readonly precision: Precision;
  /** Leaves out algorithms that may give other bits each time. */
  readonly deterministic: boolean;
  /** Tries the algorithms at the first use of a shape, instead of trusting cuDNN's estimate. */
  readonly measure: boolean;
  /** Gives memory for trials, which is given back at once. */
  readonly driver: Pick<Driver, "allocate" | "free">;
}

/** Workspace that algorithms may use while they are tried, in bytes; less where memory is short. */
const TRIAL_WORKSPACE = 1 << 30;
const SMALLEST_TRIAL = 1 << 24;
/** `CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM`, the only one that fuses without an activation. */
const PRECOMPUTED_GEMM = 1;
/** cuDNN's statuses for parameters that it does not take start here, those for whole problems there. */
const BAD_PARAMETER = 2000;
const NOT_SUPPORTED = 3000;
const INTERNAL = 4000;

/** Convolutions by cuDNN, with an algorithm chosen once a shape. */
export class Convolutions implements Disposable {
  readonly #cudnn: Cudnn;
  readonly #handle: NativeHandle;
  readonly #pool: () => MemoryPool;
  readonly #options: ConvolutionOptions;
  readonly #plans = new Map<string, Plan | undefined>();
  readonly #owned: NativeHandle[] = [];
  readonly #activations = new Map<ConvTail["activation"], NativeHandle>();
  readonly #biases = new Map<number, NativeHandle>();

  constructor(
    cudnn: Cudnn,
    { stream, pool, options }: {
      readonly stream: bigint;
      /** Where workspaces come from; asked at each use. */
      readonly pool: () => MemoryPool;
      readonly options: ConvolutionOptions;
    },
  ) {
    this.#cudnn = cudnn;
    this.#handle = this.#own(cudnn.createHandle(stream));
    this.#pool = pool;
    this.#options = options;
  }

  /**
   * Queues one pass.
   *
   * @returns Whether it did so: false, and nothing is queued, where cuDNN cannot compute it.
   */
  run(problem: ConvProblem, operands: ConvOperands): boolean {
    const plan = this.#plan(problem, operands);
    if (!plan) return false;
    this.#withWorkspace(
      plan.workspaceBytes,
      (workspace) =>
        this.#cudnn.run(this.#handle.address, problem.pass, {
          descriptors: plan.descriptors,
          memory: { ...operands, ...workspace },
          algorithm: plan.algorithm,
        }),
    );
    return true;
  }

  /**
   * Queues y = activation(conv(x, w) + bias + residual).
   *
   * @returns Whether it did so: false, and nothing is queued, where cuDNN cannot do it in one pass.
   */
  runFused(problem: ConvProblem, operands: ConvOperands, tail: ConvTail): boolean {
    const plan = this.#plan(problem, operands);
    if (!plan) return false;
    const fits = tail.activation === "relu" || plan.algorithm === PRECOMPUTED_GEMM;
    if (plan.unfused || !fits) return false;
    try {
      this.#withWorkspace(
        plan.workspaceBytes,
        (workspace) =>
          this.#cudnn.runFused(this.#handle.address, {
            descriptors: plan.descriptors,
            memory: { ...operands, ...workspace },
            algorithm: plan.algorithm,
            residual: tail.residual,
            bias: tail.bias,
            biasDescriptor: this.#bias(problem.y[3]).address,
            activation: this.#activation(tail.activation).address,
          }),
      );
      return true;
    } catch (error) {
      // Tails that it knows no kernel for are parameters to it; the shapes are checked without a tail.
      if (!isRefusal(error, BAD_PARAMETER)) throw error;
      plan.unfused = true;
      return false;
    }
  }

  /** The problems that cuDNN refused, by pass, format, x, weight, y and geometry. */
  get refused(): string[] {
    return [...this.#plans].filter(([, plan]) => plan === undefined).map(([key]) => key);
  }

  #plan(problem: ConvProblem, operands: ConvOperands): Plan | undefined {
    const { pass, x, weight, y, geometry, format } = problem;
    const { stride, padding, dilation, groups } = geometry;
    const key = `${pass},${format},${x},${weight},${y},${stride},${padding},${dilation},${groups}`;
    if (!this.#plans.has(key)) this.#plans.set(key, this.#makePlan(problem, operands));
    return this.#plans.get(key);
  }

  #makePlan(problem: ConvProblem, operands: ConvOperands): Plan | undefined {
    const descriptors = this.#describe(problem);
    const chosen = this.#algorithms(problem.pass, descriptors, operands)
      .find((result) => this.#usable(result));
    if (!chosen) return undefined;
    const exact = problem.format === "float32" && this.#options.precision === "float32";
    this.#cudnn.setMath(descriptors.convolution, exact ? CUDNN_MATH.fma : chosen.math);
    const { algorithm, workspaceBytes } = chosen;
    return { descriptors, algorithm, workspaceBytes, unfused: false };
  }

  /** Best first; none where cuDNN knows no way at all. */
  #algorithms(
    pass: ConvPass,
    descriptors: PassDescriptors,
    operands: ConvOperands,
  ): AlgorithmResult[] {
    try {
      return this.#options.measure
        ? this.#measure(pass, descriptors, operands)
        : this.#cudnn.algorithms(this.#handle.address, pass, descriptors);
    } catch (error) {
      if (!isRefusal(error, NOT_SUPPORTED)) throw error;
      return [];
    }
  }

  #usable({ status, deterministic }: AlgorithmResult): boolean {
    return status === 0 && (deterministic || !this.#options.deterministic);
  }

  #measure(
    pass: ConvPass,
    descriptors: PassDescriptors,
    operands: ConvOperands,
  ): AlgorithmResult[] {
    const { driver } = this.#options;
    let bytes = TRIAL_WORKSPACE, workspace: bigint | undefined;
    while ((workspace = driver.allocate(bytes)) === undefined && bytes > SMALLEST_TRIAL) bytes /= 2;
    const memory = {
      ...operands,
      workspace: workspace ?? 0n,
      workspaceBytes: workspace === undefined ? 0 : bytes,
    };
    try {
      return this.#cudnn.measure(this.#handle.address, pass, descriptors, memory);
    } finally {
      if (workspace !== undefined) driver.free(workspace);
    }
  }

  #withWorkspace<T>(
    bytes: number,
    run: (workspace: { workspace: bigint; workspaceBytes: number }) => T,
  ): T {
    if (bytes === 0) return run({ workspace: 0n, workspaceBytes: 0 });
    const block: DeviceBlock = this.#pool().take(bytes, "workspace");
    try {
      return run({ workspace: block.address, workspaceBytes: bytes });
    } finally {
      block.pool.release(block);
    }
  }

  #describe({ pass, x, weight, y, geometry, format }: ConvProblem): PassDescriptors {
    const type = CUDNN_TYPE[format];
    const image = this.#own(this.#cudnn.tensor(x, type)).address;
    const filter = this.#own(this.#cudnn.filter(weight, type)).address;
    const response = this.#own(this.#cudnn.tensor(y, type)).address;
    const math = this.#math(format);
    const convolution = this.#own(this.#cudnn.convolution({ ...geometry, math })).address;
    switch (pass) {
      case "forward":
        return { first: image, second: filter, convolution, output: response };
      case "backwardInput":
        return { first: filter, second: response, convolution, output: image };
      case "backwardWeight":
        return { first: image, second: response, convolution, output: filter };
    }
  }

  #math(format: ConvProblem["format"]): number {
    if (format === "bfloat16") return CUDNN_MATH.tensorOp;
    // Float32 products may pass through TF32 unless they are asked to be whole.
    return this.#options.precision === "float32" ? CUDNN_MATH.fma : CUDNN_MATH.default;
  }

  #activation(kind: ConvTail["activation"]): NativeHandle {
    let activation = this.#activations.get(kind);
    if (!activation) {
      activation = this.#own(this.#cudnn.activation(kind));
      this.#activations.set(kind, activation);
    }
    return activation;
  }

  #bias(channels: number): NativeHandle {
    let bias = this.#biases.get(channels);
    if (!bias) {
      bias = this.#own(this.#cudnn.tensor([1, 1, 1, channels], CUDNN_TYPE.float32));
      this.#biases.set(channels, bias);
    }
    return bias;
  }

  #own(handle: NativeHandle): NativeHandle {
    this.#owned.push(handle);
    return handle;
  }

  [Symbol.dispose](): void {
    for (const handle of this.#owned.reverse()) handle[Symbol.dispose]();
    this.#owned.length = 0;
    this.#plans.clear();
  }
}

/** Whether cuDNN says that it cannot do something, by a status from `first` on. */
function isRefusal(error: unknown, first: number): boolean {
  return error instanceof CudaError && error.status >= first && error.status < INTERNAL;
}
