import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor, Tensor1D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
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

/** How much of a whole batch's points of a class lie in the part at hand, 0 to 1. */
export interface ClassShares {
  readonly positive: Scalar;
  readonly negative: Scalar;
}

/**
 * Log-softmax and cross entropy over the selected points: half the mean over the positives of
 * −log p₁ and half the mean over the negatives of −log p₀ (SiamBAN, section 3.3; siamban/models/loss.py).
 *
 * @param logits Raw classification, `[B, S, S, 2]`: background, target.
 * @param labels `[B, S, S]` int32: 1 positive, 0 negative, -1 ignored.
 * @param shares Given for a part of a batch: the losses of all parts then add up to that of the batch.
 * @returns The loss, a scalar; a class without points adds 0.
 * @throws {RangeError} If the shapes do not fit.
 */
export function selectCrossEntropy(
  logits: Tensor4D,
  labels: Tensor3D,
  shares?: ClassShares,
): Scalar {
  const [batch, height, width, classes] = logits.shape;
  const expected = [batch, height, width];
  if (labels.dtype !== "int32") {
    throw new TypeError(
      `Cannot take the classification loss: labels are ${labels.dtype}, expected int32`,
    );
  }
  if (classes !== 2 || labels.shape.some((size, axis) => size !== expected[axis])) {
    throw new RangeError(
      `Cannot take the classification loss: logits are [${logits.shape}] and labels are ` +
        `[${labels.shape}], expected [B, S, S, 2] and [B, S, S]`,
    );
  }
  if (shares) return sharedCrossEntropy(logits, labels, shares);
  // Parity: siamban/models/loss.py loses a class that has exactly one point; here it counts.
  const [loss, gradient] = SelectCrossEntropy.runAll({ logits, labels }, {}) as [Scalar, Tensor];
  gradient.dispose();
  return loss;
}

/** Each class alone, in proportion to its share. */
function sharedCrossEntropy(logits: Tensor4D, labels: Tensor3D, shares: ClassShares): Scalar {
  const [positives, negatives] = [1, 0].map((label) => pointsOf(labels, label));
  // Ignored points are -1; a plain number would make the labels floats.
  const one = tf.scalar(1, "int32");
  const onlyPositive = positives.add(positives).sub<Tensor3D>(one);
  const onlyNegative = negatives.sub<Tensor3D>(one);
  return selectCrossEntropy(logits, onlyPositive).mul(shares.positive)
    .add(selectCrossEntropy(logits, onlyNegative).mul(shares.negative));
}

/**
 * Numbers of positive and of negative points, `[2]` float32.
 *
 * @param labels `[B, S, S]` int32.
 */
export function countPoints(labels: Tensor3D): Tensor1D {
  return tf.tidy(() =>
    tf.stack([1, 0].map((label) => pointsOf(labels, label).cast("float32").sum())) as Tensor1D
  );
}

/** 1 where a point has a label, else 0; int32. */
function pointsOf(labels: Tensor3D, label: number): Tensor3D {
  return labels.equal(tf.scalar(label, "int32")).cast("int32");
}
