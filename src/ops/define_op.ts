import * as tf from "@tensorflow/tfjs";
import type {
  KernelConfig,
  NamedAttrMap,
  NamedTensorMap,
  Tensor,
  TensorInfo,
} from "@tensorflow/tfjs";

/** Tensors an op takes, by name; an optional input may be absent. */
export type OpInputs = Record<string, Tensor | undefined>;

/** The same inputs as a kernel sees them: shape, dtype and data id. */
export type KernelInputs<I extends OpInputs> = { readonly [K in keyof I]: InfoOf<I[K]> };
type InfoOf<T> = undefined extends T ? TensorInfo | undefined : TensorInfo;

/** What an op keeps from its forward pass for its gradient. */
export interface Saved<I extends OpInputs> {
  /** The inputs named in `save.inputs`. */
  readonly inputs: { readonly [K in keyof I]: NonNullable<I[K]> };
  /** The outputs numbered in `save.outputs`, at their own index. */
  readonly outputs: readonly Tensor[];
}

/** The declaration of an op: everything but its kernels. */
export interface OpSpec<I extends OpInputs, A> {
  /** Name in tfjs's kernel registry. */
  readonly name: string;
  /** What the gradient needs; saved inputs must not be optional ones. */
  readonly save?: {
    readonly inputs?: readonly (keyof I & string)[];
    readonly outputs?: readonly number[];
  };
  /**
   * Gradients by input. Work put inside a returned function is done only when that input needs
   * it; work done before returning is done once for all inputs. Absent: not differentiable.
   */
  readonly gradient?: (
    dys: readonly Tensor[],
    saved: Saved<I>,
    attrs: A,
  ) => { readonly [K in keyof I]?: () => Tensor };
}

/** A declared op: run it, or give it a kernel on a backend. */
export interface Op<I extends OpInputs, A> {
  readonly name: string;
  /** Runs the op on the current backend; one output. */
  run<T extends Tensor>(inputs: I, attrs: A): T;
  /** Runs the op on the current backend; all of its outputs. */
  runAll(inputs: I, attrs: A): Tensor[];
  /** The op's kernel on one backend, to be listed among that backend's kernels. */
  kernel<B>(
    backendName: string,
    run: (backend: B, inputs: KernelInputs<I>, attrs: A) => TensorInfo | TensorInfo[],
  ): KernelConfig;
}

/**
 * Declares an op once, for every backend, in tfjs's kernel and gradient registry.
 *
 * Backward passes free memory as they go: tfjs keeps what a node saved, and the gradient of its
 * output, until the whole pass ends; here both are released as soon as the next of our nodes runs,
 * because by then tfjs has taken every gradient that it wanted from the one before.
 */
export function defineOp<I extends OpInputs, A extends object>(spec: OpSpec<I, A>): Op<I, A> {
  if (spec.gradient) registerGradient(spec);
  const execute = (inputs: I, attrs: A): unknown =>
    tf.engine().runKernel(
      spec.name,
      present(inputs) as NamedTensorMap,
      attrs as unknown as NamedAttrMap,
    );
  return {
    name: spec.name,
    run: <T extends Tensor>(inputs: I, attrs: A) => execute(inputs, attrs) as T,
    runAll: (inputs, attrs) => execute(inputs, attrs) as Tensor[],
    kernel: (backendName, run) => ({
      kernelName: spec.name,
      backendName,
      kernelFunc: ({ inputs, backend, attrs }) =>
        run(backend as never, inputs as unknown as KernelInputs<I>, attrs as unknown as A),
    }),
  };
}

/** Whether what runs now is recorded for a gradient. */
export function isRecording(): boolean {
  return tf.engine().isTapeOn();
}

/**
 * Runs `layer` without recording it: it keeps no activations and no gradient flows through it.
 * For parts of a network in front of everything trainable.
 */
export function unrecorded<T extends Tensor>(layer: (x: T) => T, x: T): T {
  if (!isRecording()) return layer(x);
  const run = tf.customGrad((input) => ({
    value: layer(input as T),
    gradFunc: () => {
      throw new Error("Cannot differentiate an unrecorded layer, its input depends on a parameter");
    },
  }));
  return run(x) as T;
}

let finished: Tensor[] = [];

/** Releases what the node before this one held (see {@linkcode defineOp}). */
function releaseAfter(tensors: Tensor[]): void {
  for (const tensor of finished) tensor.dispose();
  finished = tensors;
}

function registerGradient<I extends OpInputs, A extends object>(spec: OpSpec<I, A>): void {
  const savedInputs = spec.save?.inputs ?? [];
  const savedOutputs = spec.save?.outputs ?? [];
  tf.registerGradient({
    kernelName: spec.name,
    inputsToSave: [...savedInputs],
    outputsToSave: Array.from(
      { length: Math.max(-1, ...savedOutputs) + 1 },
      (_, i) => savedOutputs.includes(i),
    ),
    gradFunc: (dy, tensors, attrs) => {
      const dys = Array.isArray(dy) ? dy : [dy];
      releaseAfter([...dys, ...tensors]);
      const inputs: Record<string, Tensor> = {};
      savedInputs.forEach((name, i) => inputs[name] = tensors[i]);
      const outputs: Tensor[] = [];
      savedOutputs.forEach((index, i) => outputs[index] = tensors[savedInputs.length + i]);
      const saved = { inputs, outputs } as unknown as Saved<I>;
      const gradients = spec.gradient!(dys, saved, attrs as unknown as A);
      return guardAliases(gradients, dys);
    },
  });
}

/** A gradient that is dy itself becomes a tensor of its own, so that dy can be released. */
function guardAliases(
  gradients: { readonly [name: string]: (() => Tensor) | undefined },
  dys: readonly Tensor[],
): Record<string, () => Tensor> {
  const guarded: Record<string, () => Tensor> = {};
  for (const [name, gradient] of Object.entries(gradients)) {
    if (gradient === undefined) continue;
    guarded[name] = () => {
      const dx = gradient();
      return dys.includes(dx) ? dx.clone() : dx;
    };
  }
  return guarded;
}

function present(inputs: OpInputs): Record<string, Tensor> {
  const result: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(inputs)) if (tensor) result[name] = tensor;
  return result;
}
