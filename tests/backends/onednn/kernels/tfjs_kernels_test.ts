import { assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { Rng } from "../../../../src/random.ts";
import { choose, randomTensor } from "../../../support/random_tensors.ts";
import { randomCrops } from "../../../support/random_ops.ts";
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

testAgainstReference("Slice and PadV2 with their gradients", randomCrops, { tolerance: 0 });

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
