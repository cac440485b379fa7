import type { Scalar, Tensor, Tensor1D } from "@tensorflow/tfjs";
import { defineOp, type OpInputs } from "./define_op.ts";

/** Attributes of {@linkcode SgdUpdate}. */
export interface SgdAttributes {
  /** Number of parameters, N. */
  readonly count: number;
  /** Learning rate of each parameter, `[N]`; a recorded step reads the array again at each replay. */
  readonly learningRates: Float32Array<ArrayBuffer>;
  readonly momentum: number;
  readonly weightDecay: number;
  /** Largest total L2 norm of the gradients; 0 turns clipping off. */
  readonly clipNorm: number;
  /** A loss above this, or not a number, skips the update. */
  readonly maxLoss: number;
}

/**
 * Inputs: `loss`, a scalar, and for each parameter i `param<i>`, `grad<i>`, `velocity<i>` of one size. Output: `[3]`, the
 * total gradient norm before clipping, the clip coefficient, and 1 if the update was applied, else 0. Parameters and velocities
 * change in place; a kernel marks them changed. With c = min(1, clipNorm / (norm + 1e-6)): d = c · grad + weightDecay · p,
 * v ← momentum · v + d, p ← p − lr · v. A loss or norm that is not finite, or a loss above `maxLoss`, leaves all as they are.
 */
export const SgdUpdate = defineOp<OpInputs & { loss: Scalar }, SgdAttributes>({
  name: "SiambanSgdUpdate",
});

/** One parameter with its gradient, its velocity (momentum buffer) and its learning rate. */
export interface SgdEntry {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  readonly velocity: Tensor;
  readonly learningRate: number;
}

/**
 * Clips all gradients by their global norm and takes one SGD step with momentum and weight decay, in
 * one call (`torch.nn.utils.clip_grad_norm_` and `torch.optim.SGD`).
 *
 * @param loss The step's loss; see {@linkcode SgdAttributes.maxLoss}.
 * @param rates Takes the entries' learning rates; pass one array at every step where steps are recorded.
 * @returns `[3]`: total gradient norm, clip coefficient, 1 if applied.
 * @throws {RangeError} If an entry's sizes differ.
 */
export function sgdUpdate(
  entries: readonly SgdEntry[],
  { loss, rates = new Float32Array(entries.length), ...options }:
    & { readonly loss: Scalar; readonly rates?: Float32Array<ArrayBuffer> }
    & Omit<SgdAttributes, "count" | "learningRates">,
): Tensor1D {
  const inputs: OpInputs & { loss: Scalar } = { loss };
  entries.forEach(({ parameter, gradient, velocity, learningRate }, i) => {
    rates[i] = learningRate;
    if (parameter.size !== gradient.size || parameter.size !== velocity.size) {
      throw new RangeError(
        `Cannot update parameter ${i}: its shape is [${parameter.shape}], its gradient's ` +
          `[${gradient.shape}], its velocity's [${velocity.shape}], expected one size`,
      );
    }
    Object.assign(inputs, {
      [`param${i}`]: parameter,
      [`grad${i}`]: gradient,
      [`velocity${i}`]: velocity,
    });
  });
  return SgdUpdate.run(inputs, {
    count: entries.length,
    learningRates: rates.subarray(0, entries.length),
    ...options,
  });
}
