import type { Tensor4D } from "@tensorflow/tfjs";
import { defineOp } from "./define_op.ts";

/** Input: `x` `[B, H, W, C]`. Output: y = x · min(max(x + 3, 0), 6) / 6. */
export const HardSwish = defineOp<{ x: Tensor4D }, Record<string, never>>({
  name: "SiambanHardSwish",
  save: { inputs: ["x"] },
  gradient: ([dy], { inputs: { x } }) => ({
    x: () => HardSwishBackward.run({ dy: dy as Tensor4D, x }, {}),
  }),
});

/**
 * Inputs: `dy`, and the forward pass's `x`: the output does not tell which of two inputs it came from. Output:
 * dx = 0 below −3, dy from 3 on, dy · (x / 3 + 1 / 2) between.
 */
export const HardSwishBackward = defineOp<{ dy: Tensor4D; x: Tensor4D }, Record<string, never>>({
  name: "SiambanHardSwishBackward",
});

/**
 * The piecewise form of x · sigmoid(x) (MobileNetV3, arXiv:1905.02244, section 5.2).
 *
 * @param x `[B, H, W, C]`.
 * @returns The same shape.
 */
export function hardSwish(x: Tensor4D): Tensor4D {
  return HardSwish.run({ x }, {});
}
