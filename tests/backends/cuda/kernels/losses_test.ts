import * as tf from "@tensorflow/tfjs";
import type { IouLossKind } from "../../../../src/ops/iou_loss.ts";
import { selectCrossEntropy } from "../../../../src/ops/select_cross_entropy.ts";
import { randomCrossEntropy, randomIouLoss } from "../../../support/random_ops.ts";
import { testOnCuda } from "../against_reference.ts";

testOnCuda("SelectCrossEntropy", randomCrossEntropy, { seeds: 16 });

testOnCuda("SelectCrossEntropy of what is not a number", () => {
  const logits = tf.tensor4d([1, NaN, 2, 3], [1, 1, 2, 2]);
  const labels = tf.tensor3d([1, 0], [1, 1, 2], "int32");
  return { loss: selectCrossEntropy(logits, labels) };
}, { seeds: 1 });

for (const kind of ["iou", "linear_iou", "giou"] as const satisfies IouLossKind[]) {
  testOnCuda(`IouLoss ${kind}`, randomIouLoss(kind), { seeds: 12, tolerance: 2e-5 });
}
