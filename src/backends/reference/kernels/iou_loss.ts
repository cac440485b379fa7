import { IouLoss, type IouLossAttributes, type IouLossKind } from "../../../ops/iou_loss.ts";
import type { ReferenceBackend } from "../backend.ts";

export const iouLossReference = IouLoss.kernel(
  "reference",
  (backend: ReferenceBackend, { pred, target, weight }, { kind, whenEmpty }) => {
    const predicted = backend.floats(pred);
    const expected = backend.floats(target);
    const shares = weightShares(backend.floats(weight), whenEmpty);
    const loss = backend.empty([]);
    const gradient = backend.empty(pred.shape);
    const gradients = backend.floats(gradient).fill(0);
    const slopes = new Float64Array(4);
    let sum = 0;
    for (let i = 0; i < shares.length; i++) {
      // A box without weight may hold anything: 0 times what is not a number is not 0.
      if (shares[i] === 0) continue;
      sum += shares[i] * boxLoss(predicted, expected, { at: 4 * i, kind, slopes });
      for (let side = 0; side < 4; side++) gradients[4 * i + side] = shares[i] * slopes[side];
    }
    backend.floats(loss)[0] = sum;
    return [loss, gradient];
  },
);

/** The weights divided by their sum. */
function weightShares(
  weights: Float32Array,
  whenEmpty: IouLossAttributes["whenEmpty"],
): Float64Array {
  let total = 0;
  for (const weight of weights) total += weight;
  if (total > 0) return Float64Array.from(weights, (weight) => weight / total);
  return new Float64Array(weights.length).fill(whenEmpty === "mean" ? 1 / weights.length : 0);
}

/** One box's loss; its gradient by the four predicted sides goes to `slopes`. */
function boxLoss(
  pred: Float32Array,
  target: Float32Array,
  { at, kind, slopes }: {
    readonly at: number;
    readonly kind: IouLossKind;
    readonly slopes: Float64Array;
  },
): number {
  const width = pred[at] + pred[at + 2], height = pred[at + 1] + pred[at + 3];
  const targetArea = (target[at] + target[at + 2]) * (target[at + 1] + target[at + 3]);
  const common = (side: number) => Math.min(pred[at + side], target[at + side]);
  const either = (side: number) => Math.max(pred[at + side], target[at + side]);
  const innerWidth = common(0) + common(2), innerHeight = common(1) + common(3);
  const outerWidth = either(0) + either(2), outerHeight = either(1) + either(3);
  const intersection = innerWidth * innerHeight;
  const union = width * height + targetArea - intersection;
  const hull = outerWidth * outerHeight + 1e-7;
  const iou = (intersection + 1) / (union + 1);
  for (let side = 0; side < 4; side++) {
    const horizontal = side % 2 === 0;
    const p = pred[at + side], t = target[at + side];
    const inside = p < t ? 1 : p === t ? 0.5 : 0; // the derivative of min(p, t)
    const dIntersection = inside * (horizontal ? innerHeight : innerWidth);
    const dUnion = (horizontal ? height : width) - dIntersection;
    const dHull = (1 - inside) * (horizontal ? outerHeight : outerWidth);
    const dIou = (dIntersection - iou * dUnion) / (union + 1);
    if (kind === "iou") slopes[side] = -dIou / iou;
    else if (kind === "linear_iou") slopes[side] = -dIou;
    else slopes[side] = -dIou - (dUnion - union * dHull / hull) / hull;
  }
  if (kind === "iou") return -Math.log(iou);
  return kind === "linear_iou" ? 1 - iou : 2 - iou - union / hull;
}
