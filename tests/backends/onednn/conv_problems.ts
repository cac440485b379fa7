import type { KernelConfig, TensorInfo } from "@tensorflow/tfjs";
import type { HostBackend } from "../../../src/backends/host_backend.ts";
import type { AnyActivationKind } from "../../../src/ops/activation.ts";
import { type ConvGeometry, convOutputShape } from "../../../src/ops/conv2d.ts";
import type { Rng } from "../../../src/random.ts";
import { choose } from "../../support/random_tensors.ts";

/** Values with their shape, on no backend. */
export interface Values {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A convolution with all that its passes and what may be fused behind it read. */
export interface ConvProblem {
  readonly geometry: ConvGeometry;
  readonly x: Values;
  readonly weight: Values;
  readonly bias: Values;
  readonly dy: Values;
  readonly residual: Values;
  /** Weight, bias, mean and variance of a norm. */
  readonly norm: readonly Values[];
  readonly activation: AnyActivationKind;
}

/** Products of a pass, so that the plain loops stay quick. */
const MOST_PRODUCTS = 2 ** 24;

/**
 * Draws a convolution: batch 1 to 9, odd and even sizes, every stride and dilation, channels about as wide
 * as matrix tiles want, or far wider; every other time 3 x 3 with stride 1, as Winograd's way wants.
 */
export function randomProblem(rng: Rng): ConvProblem {
  const cubic = rng.uniform() < 0.5;
  const kernel = cubic ? 3 : choose(rng, 1, 1, 2, 3, 5, 7);
  const dilation = choose(rng, 1, 1, 2, 3, 4), stride = cubic ? 1 : choose(rng, 1, 1, 2, 3);
  const reach = dilation * (kernel - 1), padding = Math.min(choose(rng, 0, 1, dilation), reach);
  const least = cubic ? 32 : 16;
  const width = () => least + rng.integer(choose(rng, 2, 40, 100, 600));
  const channels = width(), filters = width(), batch = 1 + rng.integer(9);
  const area = MOST_PRODUCTS / (batch * kernel * kernel * channels * filters);
  const most = Math.min(40, Math.max(1, Math.floor(Math.sqrt(area) * stride)));
  const size = () => Math.max(1, reach + 1 - 2 * padding) + rng.integer(most);
  return problemOf(rng, {
    x: [batch, size(), size(), channels],
    weight: [filters, kernel, kernel, channels],
    geometry: { stride, padding, dilation, groups: 1 },
  });
}

/** Draws the values of a convolution of given shapes. */
export function problemOf(rng: Rng, { x, weight, geometry }: {
  readonly x: readonly number[];
  readonly weight: readonly number[];
  readonly geometry: ConvGeometry;
}): ConvProblem {
  const y = convOutputShape(x, weight, geometry), perFilter = [weight[0]];
  const norm = [1, 0, 0, 2].map((mean) => randomValues(rng, perFilter, mean));
  return {
    geometry,
    x: randomValues(rng, x),
    weight: randomValues(rng, weight),
    bias: randomValues(rng, perFilter),
    dy: randomValues(rng, y),
    residual: randomValues(rng, y),
    norm,
    activation: choose<AnyActivationKind>(rng, "none", "relu", "relu6", "hard_swish"),
  };
}

/** Uniform values within ½ of a mean. */
export function randomValues(rng: Rng, shape: readonly number[], mean = 0): Values {
  const length = shape.reduce((product, size) => product * size, 1);
  return { shape, values: Float32Array.from({ length }, () => mean + rng.uniform() - 0.5) };
}

/** A backend's kernels for a convolution. */
export interface ConvKernels {
  readonly forward: KernelConfig;
  readonly backwardInput: KernelConfig;
  readonly backwardWeight: KernelConfig;
  readonly folded: KernelConfig;
}

/** Results of {@linkcode allPasses}. */
export type Passes = Readonly<
  Record<"y" | "dx" | "dweight" | "folded" | "activated", Float32Array>
>;

/** Runs every pass: forward, both gradients, and forward with norm, residual and activation behind. */
export function allPasses(
  backend: HostBackend,
  kernels: ConvKernels,
  { geometry, norm, activation, ...problem }: ConvProblem,
): Passes {
  const { x, weight, bias, dy, residual } = mapValues(problem, (it) => tensorOn(backend, it));
  const [normWeight, normBias, runningMean, runningVar] = norm.map((it) => tensorOn(backend, it));
  const [, height, width] = problem.x.shape, [, kernelHeight, kernelWidth] = problem.weight.shape;
  const run = (kernel: KernelConfig, inputs: object, attrs: object) =>
    runKernel(backend, kernel, { inputs, attrs });
  const fused = { ...geometry, epsilon: 1e-5 };
  const normed = { x, weight, bias, residual, normWeight, normBias, runningMean, runningVar };
  return {
    y: run(kernels.forward, { x, weight, bias }, geometry),
    dx: run(kernels.backwardInput, { dy, weight }, { ...geometry, height, width }),
    dweight: run(kernels.backwardWeight, { dy, x }, { ...geometry, kernelHeight, kernelWidth }),
    folded: run(kernels.folded, normed, { ...fused, activation: "none" }),
    activated: run(kernels.folded, { x, weight, bias }, { ...fused, activation }),
  };
}

/** Runs a kernel; a copy of the values of its output, or of its first one. */
export function runKernel(
  backend: HostBackend,
  kernel: KernelConfig,
  { inputs, attrs }: { readonly inputs: object; readonly attrs: object },
): Float32Array {
  const outputs = kernel.kernelFunc({
    inputs: inputs as never,
    backend,
    attrs: attrs as never,
  }) as TensorInfo | TensorInfo[];
  return backend.floats(Array.isArray(outputs) ? outputs[0] : outputs).slice();
}

/** The values as a tensor of their own. */
export function tensorOn(backend: HostBackend, { shape, values }: Values): TensorInfo {
  return backend.makeTensorInfo([...shape], "float32", values.slice());
}

function mapValues<K extends string, T, R>(record: Record<K, T>, map: (value: T) => R) {
  return Object.fromEntries(
    Object.entries<T>(record).map(([key, value]) => [key, map(value)]),
  ) as Record<K, R>;
}
