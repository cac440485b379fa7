import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { iouLoss, type IouLossKind } from "../../../../src/ops/iou_loss.ts";
import { selectCrossEntropy } from "../../../../src/ops/select_cross_entropy.ts";
import { choose, randomTensor } from "../../../support/random_tensors.ts";
import { testAgainstReference } from "../against_reference.ts";

testAgainstReference("SelectCrossEntropy", (rng) => {
  const shape = [1 + rng.integer(9), 5, 5];
  const present = choose(rng, [-1, 0, 1], [-1, 0], [-1, 1], [-1]);
  const labels = tf.tensor3d(
    Int32Array.from({ length: shape[0] * 25 }, () => choose(rng, ...present)),
    shape as [number, number, number],
    "int32",
  );
  const logits = randomTensor(rng, [...shape, 2], { deviation: choose(rng, 1, 100) });
  const run = (logits: Tensor) => selectCrossEntropy(logits as Tensor4D, labels as Tensor3D);
  return { loss: run(logits), dlogits: tf.grad(run)(logits) };
});

for (const kind of ["iou", "linear_iou", "giou"] as const satisfies IouLossKind[]) {
  testAgainstReference(`IouLoss ${kind}`, (rng) => {
    const boxes = 1 + rng.integer(50);
    const positive = () => randomTensor(rng, [boxes, 4], { mean: 30, deviation: 10 }).abs();
    const target = positive();
    const pred = choose(rng, positive(), target.clone());
    const weight = choose(
      rng,
      randomTensor<Tensor>(rng, [boxes]).relu(),
      tf.zeros([boxes]),
      tf.ones([boxes]),
    );
    const options = { weight, kind, whenEmpty: choose(rng, "zero" as const, "mean" as const) };
    const run = (pred: Tensor) => iouLoss(pred, target, options);
    return { loss: run(pred), dpred: tf.grad(run)(pred) };
  });
}
