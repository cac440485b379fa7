import type { Tensor4D } from "@tensorflow/tfjs";
import { defineOp } from "./define_op.ts";
import { hardSwish } from "./hard_swish.ts";

/** A non-linearity whose output tells its gradient: `relu` is max(x, 0), `relu6` is min(max(x, 0), 6). */
export type ActivationKind = "none" | "relu" | "relu6";

/** Every pointwise non-linearity; `hard_swish` is {@linkcode hardSwish}. */
export type AnyActivationKind = ActivationKind | "hard_swish";

/** The number by which native code knows an {@linkcode AnyActivationKind}. */
export const ACTIVATION_CODE: Readonly<Record<AnyActivationKind, number>> = {
  none: 0,
  relu: 1,
  relu6: 2,
  hard_swish: 3,
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
export function activate(x: Tensor4D, kind: AnyActivationKind): Tensor4D {
  if (kind === "hard_swish") return hardSwish(x);
  return kind === "none" ? x : Activation.run({ x }, { kind });
}
