import { assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { Rng } from "../../../../src/random.ts";
import { choose, randomTensor } from "../../../support/random_tensors.ts";
import { testAgainstReference, testNative } from "../against_reference.ts";

testAgainstReference("Add, AddN and Multiply", (rng) => {
  const shape = choose(rng, [7], [3, 5], [2, 33, 40, 17]);
  const [a, b, c] = [0, 1, 2].map(() => randomTensor(rng, shape));
  const row = randomTensor(rng, [shape[shape.length - 1]]);
  return {
    sum: a.add(b),
    sumOfThree: tf.addN([a, b, c]),
    product: a.mul(b),
    scaled: a.mul(2.5),
    scaledFromLeft: tf.scalar(3).mul(a),
    broadcast: a.add(row),
    broadcastProduct: row.mul(a),
    ofIntegers: a.toInt().add(b.toInt()).toFloat(),
    ofMixedTypes: a.add(b.toInt()),
    onesAddUp: tf.ones([1, 1]).add(tf.ones([1])),
  };
}, { tolerance: 1e-6 });

testAgainstReference("Slice and PadV2 with their gradients", (rng) => {
  const x = randomTensor(rng, [2, 15, 9 + rng.integer(8), choose(rng, 1, 3, 32)]);
  const crop = (x: tf.Tensor) => (x as Tensor4D).slice([0, 4, 1, 0], [-1, 7, 7, -1]);
  const pad = (x: tf.Tensor) => (x as Tensor4D).pad([[0, 1], [2, 0], [1, 3], [0, 2]], 0.5);
  const dy = randomTensor(rng, [2, 7, 7, x.shape[3]]);
  return {
    crop: crop(x),
    channel: x.slice([1, 2, 3, 0], [1, 2, 3, 1]),
    cropGradient: tf.grad(crop)(x, dy),
    pad: pad(x),
    padGradient: tf.grad(pad)(x, pad(x)),
    vector: x.flatten().slice(5, 9),
    padVector: tf.tensor1d([1, 2]).pad([[1, 2]]),
  };
}, { tolerance: 0 });

testNative("Slice reports a box outside of its tensor", () => {
  tf.tidy(() => {
    const x = tf.zeros<tf.Rank.R4>([1, 4, 4, 2]);
    assertThrows(() => x.slice([0, 2, 0, 0], [1, 3, 4, 2]));
  });
});

testNative("A view that tfjs makes of a tensor survives the tensor", () => {
  tf.tidy(() => {
    const whole = randomTensor(new Rng(1), [1, 1, 64, 64]).add<Tensor4D>(0);
    // tfjs's kernel for this one returns a view.
    const [first] = tf.split(whole.reshape([64 * 64]), 2);
    const before = first.dataSync();
    whole.dispose();
    for (let i = 0; i < 8; i++) randomTensor(new Rng(i), [1, 1, 64, 64]).add(1);
    assertEquals(first.dataSync(), before);
  });
});
