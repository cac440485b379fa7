import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import { channelGate, type GateKind } from "../../../../src/ops/channel_gate.ts";
import { spatialMean } from "../../../../src/ops/spatial_mean.ts";
import { xcorrPixelwise } from "../../../../src/ops/xcorr_pixelwise.ts";
import { choose, randomTensor } from "../../../support/random_tensors.ts";
import { testOnCuda } from "../against_reference.ts";

testOnCuda("ChannelGate and SpatialMean", (rng) => {
  const shape = [1 + rng.integer(9), 1 + rng.integer(20), 7, choose(rng, 1, 3, 16, 130)];
  const x = randomTensor(rng, shape);
  const gate = randomTensor(rng, [shape[0], 1, 1, shape[3]], { deviation: 3 });
  const kind = choose<GateKind>(rng, "sigmoid", "hard_sigmoid");
  const run = (x: Tensor, gate: Tensor) => channelGate(x as Tensor4D, gate as Tensor4D, kind);
  const [dx, dgate] = tf.grads(run)([x, gate], randomTensor(rng, shape));
  return {
    y: run(x, gate),
    dx,
    dgate,
    mean: spatialMean(x),
    meanGradient: tf.grad((x) => spatialMean(x as Tensor4D))(x, gate),
  };
}, { seeds: 12 });

testOnCuda("Pixel-wise correlation and products of matrices", (rng) => {
  const [batch, channels] = [1 + rng.integer(5), choose(rng, 1, 8, 33, 96)];
  const x = randomTensor(rng, [batch, 1 + rng.integer(15), 9, channels]);
  const z = randomTensor(rng, [batch, choose(rng, 1, 4, 8), 8, channels]);
  const run = (x: Tensor, z: Tensor) => xcorrPixelwise(x as Tensor4D, z as Tensor4D);
  const y = run(x, z);
  const [dx, dz] = tf.grads(run)([x, z], randomTensor(rng, y.shape));
  const a = randomTensor<tf.Tensor2D>(rng, [channels, 37]);
  return {
    y,
    dx,
    dz,
    product: tf.matMul(a, a, true),
    shared: tf.matMul(x.reshape([batch, -1, channels]), a),
  };
});
