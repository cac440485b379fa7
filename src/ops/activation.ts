import type { Tensor4D } from "@tensorflow/tfjs";
import { defineOp } from "./define_op.ts";

/** A pointwise non-linearity: `relu` is max(x, 0), `relu6` is min(max(x, 0), 6). */
export type ActivationKind = "none" | "relu" | "relu6";

/** The number by which native code knows an {@linkcode ActivationKind}. */
export const ACTIVATION_CODE: Readonly<Record<ActivationKind, number>> = {
  none: 0,
  relu: 1,
  relu6: 2,
};

/** Input: `x`. Output: y of the same shape. */
export const Activation = defineOp<{ x: Tensor4D }, { kind: ActivationKind }>({
  name: "SiambanActivation",
  save: { outputs: [0] },
  gradient: ([dy], { outputs: [y] }, attrs) => ({
    x: () => ActivationBackward.run({ dy: dy as Tensor4D, y: y as Tensor4D }, attrs),
  }),
});

/** Inputs: `dy`, `y` (the forward output). Output: dx = dy where 0 < y (and y < 6), else 0. */
export const ActivationBackward = defineOp<{ dy: Tensor4D; y: Tensor4D }, { kind: ActivationKind }>(
  {
    name: "SiambanActivationBackward",
  },
);

/**
 * Applies a pointwise non-linearity.
 *
 * @param x `[B, H, W, C]`.
 * @returns The same shape.
 */
export function activate(x: Tensor4D, kind: ActivationKind): Tensor4D {
  return kind === "none" ? x : Activation.run({ x }, { kind });
}
