import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { defineOp } from "./define_op.ts";

/** −log IoU (UnitBox), 1 − IoU, or 1 − GIoU (arXiv:1902.09630). */
export type IouLossKind = "iou" | "linear_iou" | "giou";

/** The number by which native code knows an {@linkcode IouLossKind}. */
export const IOU_LOSS_CODE: Readonly<Record<IouLossKind, number>> = {
  iou: 0,
  linear_iou: 1,
  giou: 2,
};

/** Attributes of {@linkcode IouLoss}. */
export interface IouLossAttributes {
  readonly kind: IouLossKind;
  /** What weights that sum to 0 or less mean: a loss of 0, or that all boxes count the same. */
  readonly whenEmpty: "zero" | "mean";
}

/**
 * Inputs: `pred` and `target` `[N, 4]` distances left, top, right, bottom from a common point; `weight` `[N]`.
 * Outputs: the weighted mean loss, a scalar, and its gradient by `pred`. With I = (min l + min r)(min t + min b) and U =
 * the sum of both areas − I, IoU = (I + 1) / (U + 1); GIoU = IoU − (hull − U) / hull, hull = (max l + max r)(max t +
 * max b) + 1e-7 (siamban/models/iou_loss.py). Where both sides of a min or max are equal each takes half the gradient.
 */
export const IouLoss = defineOp<
  { pred: Tensor; target: Tensor; weight: Tensor },
  IouLossAttributes
>({
  name: "SiambanIouLoss",
  save: { outputs: [1] },
  gradient: ([dy], { outputs: [, gradient] }) => ({
    pred: () => gradient.mul(dy),
  }),
});

/**
 * Weighted mean of the IoU loss of boxes given by distances from a point.
 *
 * @param pred Predicted left, top, right, bottom distances, `[..., 4]`.
 * @param target True distances, the same shape.
 * @param weight `[...]`, without the last axis.
 * @returns The loss, a scalar.
 * @throws {RangeError} If the shapes do not fit.
 */
export function iouLoss(
  pred: Tensor,
  target: Tensor,
  { weight, kind = "linear_iou", whenEmpty = "mean" }:
    & { readonly weight: Tensor }
    & Partial<IouLossAttributes>,
): Scalar {
  if (pred.shape.at(-1) !== 4 || pred.size !== target.size || weight.size * 4 !== pred.size) {
    throw new RangeError(
      `Cannot take the location loss: pred is [${pred.shape}], target is [${target.shape}] and weight ` +
        `is [${weight.shape}], expected [..., 4], the same, and [...]`,
    );
  }
  const [loss, gradient] = IouLoss.runAll({ pred, target, weight }, { kind, whenEmpty });
  gradient.dispose();
  return loss as Scalar;
}

/**
 * Mean location loss over the positive points (SiamBAN, section 3.3, equation 4).
 *
 * @param pred Predicted distances, `[B, S, S, 4]`.
 * @param target True distances, `[B, S, S, 4]`.
 * @param labels `[B, S, S]` int32; positives are 1.
 * @param options Form of the loss; 1 − IoU.
 * @returns The loss, a scalar.
 */
export function selectIouLoss(
  pred: Tensor4D,
  target: Tensor4D,
  labels: Tensor3D,
  { kind = "linear_iou" }: { readonly kind?: IouLossKind } = {},
): Scalar {
  // Parity: siamban/models/iou_loss.py asserts that there is a positive; without one this is 0.
  return tf.tidy(() => {
    const weight = labels.equal(tf.scalar(1, "int32")).cast("float32");
    return iouLoss(pred, target, { weight, kind, whenEmpty: "zero" });
  });
}
