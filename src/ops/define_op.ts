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
 * Backward passes free memory as they go: tfjs keeps what a node saved, the gradient of its output, and
 * gradients that it made but that nothing needs, until the whole pass ends; here they are released as
 * soon as the next of our nodes runs, because by then tfjs has taken every gradient that it wanted
 * from the one before.
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

/** What one node held during a backward pass. */
interface Held {
  /** What its forward pass saved, which is the node's own. */
  readonly saved: readonly Tensor[];
  /** Gradients that it took and made. They may be someone else's: the caller's dy, or a result. */
  readonly passing: readonly Tensor[];
  /** Those of `passing` that tfjs took over as gradients of the inputs. */
  readonly taken: Set<Tensor>;
}

let finished: Held | undefined;

/** Releases what the node before this one held (see {@linkcode defineOp}). */
function releaseFinished(): void {
  if (!finished) return;
  const { saved, passing, taken } = finished;
  finished = undefined;
  for (const tensor of saved) tensor.dispose();
  // What was made in this very backward pass is in its scope: anything else is not ours to free,
  // be it the caller's or left over from a pass that failed.
  const pass = tf.engine().state.activeScope?.id;
  for (const tensor of passing) {
    if (tensor.scopeId === pass && !tensor.kept && !taken.has(tensor)) tensor.dispose();
  }
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
      // A gradient of a gradient runs through all of this again: nothing is finished yet.
      const differentiatedAgain = isRecording();
      if (!differentiatedAgain) releaseFinished();
      const inputs: Record<string, Tensor> = {};
      savedInputs.forEach((name, i) => inputs[name] = tensors[i]);
      const outputs: Tensor[] = [];
      savedOutputs.forEach((index, i) => outputs[index] = tensors[savedInputs.length + i]);
      const saved = { inputs, outputs } as unknown as Saved<I>;
      const made = tf.engine().state.activeScope?.track ?? [];
      const madeBefore = made.length;
      const gradients = spec.gradient!(dys, saved, attrs as unknown as A);
      const passing = [...dys, ...made.slice(madeBefore)];
      const taken = new Set<Tensor>();
      if (!differentiatedAgain) finished = { saved: tensors, passing, taken };
      return noteTaken(gradients, { dys, taken });
    },
  });
}

/**
 * Notes which gradients tfjs takes, so that they are not released. One that is dy itself becomes a
 * tensor of its own, so that dy can be.
 */
function noteTaken(
  gradients: { readonly [name: string]: (() => Tensor) | undefined },
  { dys, taken }: { readonly dys: readonly Tensor[]; readonly taken: Set<Tensor> },
): Record<string, () => Tensor> {
  const noted: Record<string, () => Tensor> = {};
  for (const [name, gradient] of Object.entries(gradients)) {
    if (gradient === undefined) continue;
    noted[name] = () => {
      const result = gradient();
      const dx = dys.includes(result) ? result.clone() : result;
      taken.add(dx);
      return dx;
    };
  }
  return noted;
}

function present(inputs: OpInputs): Record<string, Tensor> {
  const result: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(inputs)) if (tensor) result[name] = tensor;
  return result;
}
