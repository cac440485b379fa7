import type { NativeHandle } from "../../ffi/handle.ts";
import {
  type AlgorithmResult,
  type ConvPass,
  type Cudnn,
  CUDNN_MATH,
  CUDNN_TYPE,
  type PassDescriptors,
} from "./bindings/cudnn.ts";
import { CudaError } from "./bindings/status.ts";
import type { CudnnGraphs } from "./bindings/cudnn_graph.ts";
import {
  type ConvOperands,
  type ConvProblem,
  type ConvTail,
  operationsOf,
  problemKey,
} from "./conv_problem.ts";
import type { ConvolutionOptions } from "./convolution_options.ts";
import { FusedConvolutions } from "./fused_convolutions.ts";
import type { DeviceBlock, MemoryPool } from "./memory_pool.ts";

interface Plan {
  readonly descriptors: PassDescriptors;
  readonly algorithm: number;
  readonly workspaceBytes: number;
  /** Whether cuDNN has refused to do the tail in the same pass. */
  unfused: boolean;
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

/** Convolutions by cuDNN, in a way that is chosen once a shape. */
export class Convolutions implements Disposable {
  readonly #cudnn: Cudnn;
  readonly #handle: NativeHandle;
  readonly #pool: () => MemoryPool;
  readonly #options: ConvolutionOptions;
  readonly #plans = new Map<string, Plan | undefined>();
  /** Those with a tail, by cuDNN's graph API where it can. */
  readonly fused: FusedConvolutions;
  /** Multiplications and additions of all that was queued, that of a recorded step once. */
  operations = 0;
  readonly #owned: NativeHandle[] = [];
  readonly #activations = new Map<ConvTail["activation"], NativeHandle>();
  readonly #biases = new Map<string, NativeHandle>();

  constructor(
    cudnn: Cudnn,
    { stream, graphs, pool, options }: {
      readonly stream: bigint;
      readonly graphs: CudnnGraphs;
      /** Where workspaces come from; asked at each use. */
      readonly pool: () => MemoryPool;
      readonly options: ConvolutionOptions;
    },
  ) {
    this.#cudnn = cudnn;
    this.#handle = this.#own(cudnn.createHandle(stream));
    this.#pool = pool;
    this.#options = options;
    this.fused = new FusedConvolutions(graphs, {
      handle: this.#handle.address,
      options,
      withWorkspace: (bytes, run) => this.#withWorkspace(bytes, run),
    });
  }

  /**
   * Queues one pass.
   *
   * @returns Whether it did so: false, and nothing is queued, where cuDNN cannot compute it.
   */
  run(problem: ConvProblem, operands: ConvOperands): boolean {
    const plan = this.#plan(problem, operands);
    if (!plan) return false;
    this.operations += operationsOf(problem);
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
    const done = this.fused.run(problem, {
      operands,
      tail,
      otherwise: () => this.#runOlderFused(problem, operands, tail),
    });
    if (done) this.operations += operationsOf(problem);
    return done;
  }

  #runOlderFused(problem: ConvProblem, operands: ConvOperands, tail: ConvTail): boolean {
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
            biasDescriptor: this.#bias(problem).address,
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
    const key = problemKey(problem);
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
      return this.#options.measure && !this.#options.recording()
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

  #bias({ y: [, , , channels], format }: ConvProblem): NativeHandle {
    const key = `${format} ${channels}`;
    let bias = this.#biases.get(key);
    if (!bias) {
      bias = this.#own(this.#cudnn.tensor([1, 1, 1, channels], CUDNN_TYPE[format]));
      this.#biases.set(key, bias);
    }
    return bias;
  }

  #own(handle: NativeHandle): NativeHandle {
    this.#owned.push(handle);
    return handle;
  }

  [Symbol.dispose](): void {
    this.fused[Symbol.dispose]();
    for (const handle of this.#owned.reverse()) handle[Symbol.dispose]();
    this.#owned.length = 0;
    this.#plans.clear();
  }
}

/** Whether cuDNN says that it cannot do something, by a status from `first` on. */
function isRefusal(error: unknown, first: number): boolean {
  return error instanceof CudaError && error.status >= first && error.status < INTERNAL;
}
