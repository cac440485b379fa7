import * as tf from "@tensorflow/tfjs";
import type { Tensor } from "@tensorflow/tfjs";
import { choose, randomTensor } from "../../../support/random_tensors.ts";
import { randomCrops } from "../../../support/random_ops.ts";
import { testOnCuda } from "../against_reference.ts";

testOnCuda("Operations on two tensors", (rng) => {
  const shape = choose(rng, [7], [3, 5], [2, 33, 40, 17]);
  const [a, b, c] = [0, 1, 2].map(() => randomTensor(rng, shape));
  const row = randomTensor(rng, [shape[shape.length - 1]]);
  const column = randomTensor(rng, shape.map((size, axis) => axis === 0 ? size : 1));
  const integers = a.mul(3).toInt();
  return {
    sum: a.add(b),
    difference: a.sub(b),
    product: a.mul(b),
    quotient: a.div(b.abs().add(0.5)),
    largest: a.maximum(b),
    smallest: a.minimum(b),
    squaredDifference: a.squaredDifference(b),
    power: a.abs().pow(b),
    scaled: a.mul(2.5),
    scaledFromLeft: tf.scalar(3).sub(a),
    broadcast: a.add(row),
    broadcastProduct: row.mul(a),
    broadcastColumn: column.sub(a),
    broadcastBoth: column.mul(row.reshape([...new Array(shape.length - 1).fill(1), -1])),
    ofIntegers: integers.add(integers.mul(integers)).toFloat(),
    ofMixedTypes: a.add(integers),
    onesAddUp: tf.ones([1, 1]).add(tf.ones([1])),
    sumOfMany: tf.addN([a, b, c, a, b, c, a, b, c, a, b, c]),
    equal: integers.equal(tf.scalar(1, "int32")).toFloat(),
    less: a.less(b).toFloat(),
    greaterEqual: a.greaterEqual(row).toInt(),
    chosen: tf.where(a.less(b), a, b),
  };
}, { tolerance: 2e-6 });

testOnCuda("Functions of one tensor", (rng) => {
  const x = randomTensor(rng, [3, 1 + rng.integer(40), 7], { deviation: 2 });
  const positive = x.abs().add(0.1);
  return {
    negative: x.neg(),
    absolute: x.abs(),
    exponential: x.exp(),
    logarithm: positive.log(),
    root: positive.sqrt(),
    inverseRoot: positive.rsqrt(),
    square: x.square(),
    sigmoid: x.sigmoid(),
    tanh: x.tanh(),
    reciprocal: positive.reciprocal(),
    log1p: positive.log1p(),
    expm1: x.expm1(),
    floor: x.floor(),
    ceil: x.ceil(),
    round: x.mul(2).floor().div(2).round(),
    sign: x.sign(),
    relu: x.relu(),
    relu6: x.mul(4).relu6(),
    toInt: x.mul(100).toInt(),
    toBool: x.round().toBool().toInt(),
  };
}, { tolerance: 1e-6 });

testOnCuda("Slices, paddings and their gradients", randomCrops, { tolerance: 0 });

testOnCuda("Tensors put together, taken apart and turned", (rng) => {
  const shape = [1 + rng.integer(4), 6, 4, choose(rng, 2, 3, 16)];
  const [a, b] = [0, 1].map(() => randomTensor(rng, shape));
  const [first, ...others] = tf.split(a, [1, 2, 3], 1);
  const halves = tf.split(a, 2, 3 - shape[3] % 2);
  return {
    concat: tf.concat([a, b, a], 1),
    concatLast: tf.concat([a, b], -1),
    stack: tf.stack([a, b], 2),
    stackLast: tf.stack([a, b], -1),
    first,
    last: others[1],
    half: halves[1],
    unstacked: tf.unstack(a, 1)[3],
    channelsFirst: a.transpose([0, 3, 1, 2]),
    turned: a.transpose(),
    reversed: a.reverse([1, 2]),
    tiled: a.tile([2, 1, 3, 2]),
    sixAxes: randomTensor<Tensor>(rng, [2, 3, 2, 2, 3, 2]).transpose([5, 2, 0, 4, 1, 3]),
    expanded: a.expandDims(1).squeeze([1]).flatten(),
    zeros: tf.zerosLike(a),
    ones: tf.onesLike(a).add(tf.fill(shape, 0.25)),
  };
}, { tolerance: 0 });

testOnCuda("Sums and the like, by any axes", (rng) => {
  const x = randomTensor(rng, [
    choose(rng, 1, 5, 60),
    6,
    choose(rng, 2, 20),
    choose(rng, 1, 3, 32),
  ]);
  return {
    all: x.sum(),
    last: x.sum(-1),
    first: x.sum(0),
    middle: x.sum([1, 2], true),
    apart: x.sum([0, 2]),
    none: x.sum([]),
    mean: x.mean([1, 2]),
    meanOfAll: x.mean(),
    largest: x.max(),
    largestByAxis: x.max([1], true),
    smallest: x.min([0, 3]),
    product: x.abs().add(0.5).minimum(1.5).prod(1),
    norm: x.flatten().square().sum().sqrt(),
  };
}, { tolerance: 1e-5 });

testOnCuda("Sums of long axes, in two stages", (rng) => ({
  all: randomTensor(rng, [300, 40, 3, 3]).sum(),
  columns: randomTensor(rng, [5000, 1, 1, 5]).sum(0),
  rows: randomTensor(rng, [2, 1, 1, 20000]).max(-1),
}), { seeds: 1 });

testOnCuda("Softmax and its logarithm, with gradients", (rng) => {
  const x = randomTensor<Tensor>(rng, [1 + rng.integer(700), choose(rng, 1, 2, 3, 50)], {
    deviation: choose(rng, 1, 100),
  });
  const dy = randomTensor<Tensor>(rng, x.shape);
  return {
    softmax: tf.softmax(x),
    logSoftmax: tf.logSoftmax(x),
    gradient: tf.grad((x) => tf.softmax(x))(x, dy),
    ofVector: tf.softmax(tf.tensor1d([1, 2, 3])),
  };
});
