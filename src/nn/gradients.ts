import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor } from "@tensorflow/tfjs";
import type { Parameter } from "./parameter.ts";

/** A loss with the terms that it is made of. */
export type Losses = { readonly total: Scalar } & { readonly [term: string]: Scalar };

/**
 * Evaluates losses and the gradient of their total by each trainable parameter.
 *
 * @param parameters Frozen ones are passed over.
 * @param evaluate Computes the losses; everything else that it makes is freed.
 * @returns The losses, and the gradients that exist: a parameter that the total does not depend on has
 * none. All of them belong to the caller.
 */
export function gradients<L extends Losses>(
  parameters: Iterable<Parameter>,
  evaluate: () => L,
): { readonly losses: L; readonly gradients: ReadonlyMap<Parameter, Tensor> } {
  const trainable = [...parameters].filter((parameter) => parameter.trainable);
  let losses: L | undefined;
  const { value, grads } = orReleaseTape(() =>
    tf.variableGrads(() => {
      losses = evaluate();
      for (const loss of Object.values(losses)) tf.keep(loss);
      return losses.total;
    }, trainable.map(({ tensor }) => tensor)), () => tf.dispose({ ...losses }));
  if (value !== losses!.total) value.dispose();
  const found = trainable.filter(({ tensor }) => grads[tensor.name] !== undefined);
  return {
    losses: losses!,
    gradients: new Map(found.map((parameter) => [parameter, grads[parameter.tensor.name]])),
  };
}

/** tfjs keeps what a tape saved until a backward pass is through; if that fails, nobody frees it. */
function orReleaseTape<T>(run: () => T, release: () => void): T {
  try {
    return run();
  } catch (error) {
    const { state } = tf.engine();
    for (const { saved } of state.activeTape ?? []) tf.dispose(saved);
    (state as { activeTape: typeof state.activeTape | null }).activeTape = null;
    release();
    throw error;
  }
}
