import type { Scalar, Tensor, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { defineOp } from "./define_op.ts";

/**
 * Inputs: `logits` `[B, S, S, 2]` float32, `labels` `[B, S, S]` int32 (1 positive, 0 negative, -1 ignored).
 * Outputs: the loss, a scalar, and its gradient by the logits.
 */
export const SelectCrossEntropy = defineOp<
  { logits: Tensor4D; labels: Tensor3D },
  Record<string, never>
>({
  name: "SiambanSelectCrossEntropy",
  save: { outputs: [1] },
  gradient: ([dy], { outputs: [, gradient] }) => ({
    logits: () => gradient.mul(dy),
  }),
});

/**
 * Log-softmax and cross entropy over the selected points: half the mean over the positives of
 * −log p₁ and half the mean over the negatives of −log p₀ (SiamBAN, section 3.3; siamban/models/loss.py).
 *
 * @param logits Raw classification, `[B, S, S, 2]`: background, target.
 * @param labels `[B, S, S]` int32: 1 positive, 0 negative, -1 ignored.
 * @returns The loss, a scalar; a class without points adds 0.
 * @throws {RangeError} If the shapes do not fit.
 */
export function selectCrossEntropy(logits: Tensor4D, labels: Tensor3D): Scalar {
  const [batch, height, width, classes] = logits.shape;
  const expected = [batch, height, width];
  if (classes !== 2 || labels.shape.some((size, axis) => size !== expected[axis])) {
    throw new RangeError(
      `Cannot take the classification loss: logits are [${logits.shape}] and labels are ` +
        `[${labels.shape}], expected [B, S, S, 2] and [B, S, S]`,
    );
  }
  // Parity: siamban/models/loss.py loses a class that has exactly one point; here it counts.
  const [loss, gradient] = SelectCrossEntropy.runAll({ logits, labels }, {}) as [Scalar, Tensor];
  gradient.dispose();
  return loss;
}
