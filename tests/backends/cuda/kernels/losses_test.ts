import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { iouLoss, type IouLossKind } from "../../../../src/ops/iou_loss.ts";
import { selectCrossEntropy } from "../../../../src/ops/select_cross_entropy.ts";
import { choose, randomTensor } from "../../../support/random_tensors.ts";
import { testOnCuda } from "../against_reference.ts";

testOnCuda("SelectCrossEntropy", (rng) => {
  const side = choose(rng, 1, 5, 25), shape = [1 + rng.integer(9), side, side];
  const present = choose(rng, [-1, 0, 1], [-1, 0], [-1, 1], [-1]);
  const labels = tf.tensor3d(
    Int32Array.from({ length: shape[0] * side * side }, () => choose(rng, ...present)),
    shape as [number, number, number],
    "int32",
  );
  const logits = randomTensor(rng, [...shape, 2], { deviation: choose(rng, 1, 100) });
  const run = (logits: Tensor) => selectCrossEntropy(logits as Tensor4D, labels as Tensor3D);
  return { loss: run(logits), dlogits: tf.grad(run)(logits) };
}, { seeds: 16 });

testOnCuda("SelectCrossEntropy of what is not a number", () => {
  const logits = tf.tensor4d([1, NaN, 2, 3], [1, 1, 2, 2]);
  const labels = tf.tensor3d([1, 0], [1, 1, 2], "int32");
  return { loss: selectCrossEntropy(logits, labels) };
}, { seeds: 1 });

for (const kind of ["iou", "linear_iou", "giou"] as const satisfies IouLossKind[]) {
  testOnCuda(`IouLoss ${kind}`, (rng) => {
    const boxes = 2 + rng.integer(choose(rng, 50, 900));
    const positive = () => randomTensor(rng, [boxes, 4], { mean: 30, deviation: 10 }).abs();
    const target = positive();
    // Half of the sides are equal.
    const pred = tf.where(randomTensor(rng, [boxes, 4]).greater(0), target, positive());
    const weight = choose(
      rng,
      randomTensor<Tensor>(rng, [boxes]).relu(),
      tf.zeros([boxes]),
      tf.ones([boxes]),
    );
    const options = { weight, kind, whenEmpty: choose(rng, "zero" as const, "mean" as const) };
    const run = (pred: Tensor) => iouLoss(pred, target, options);
    return { loss: run(pred), dpred: tf.grad(run)(pred) };
  }, { seeds: 12, tolerance: 2e-5 });
}
