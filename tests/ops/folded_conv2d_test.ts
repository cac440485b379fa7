import { assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import { activate } from "../../src/ops/activation.ts";
import { batchNorm } from "../../src/ops/batch_norm.ts";
import { conv2d, convGeometry } from "../../src/ops/conv2d.ts";
import { foldedConv2d, type NormTensors } from "../../src/ops/folded_conv2d.ts";
import { sgdUpdate } from "../../src/ops/sgd_update.ts";
import { Rng } from "../../src/random.ts";
import { testOnBackends } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";
import { assertNoLeak } from "../support/leaks.ts";
import { randomConvolution } from "../support/random_convolutions.ts";
import { choose, randomTensor } from "../support/random_tensors.ts";

const EVALUATION = { training: false, epsilon: 1e-5, momentum: 0.1, activation: "none" } as const;

testOnBackends("foldedConv2d() equals convolution, norm, residual and activation", () => {
  for (let seed = 0; seed < 40; seed++) {
    const rng = new Rng(1, seed);
    assertNoLeak(() =>
      tf.tidy(() => {
        const { x, weight, bias: someBias, options } = randomConvolution(rng);
        const norm = choose(rng, undefined, randomNorm(rng, weight.shape[0]));
        const bias = choose(rng, undefined, someBias);
        const activation = choose(rng, "none", "relu", "relu6");
        const plain = conv2d(x, weight, { ...options, bias });
        const residual = choose(rng, undefined, randomTensor<Tensor4D>(rng, plain.shape));
        const normed = norm ? batchNorm(plain, norm, EVALUATION) : plain;
        const added = residual ? normed.add<Tensor4D>(residual) : normed;
        const found = foldedConv2d(x, weight, {
          ...convGeometry(options),
          epsilon: EVALUATION.epsilon,
          bias,
          norm,
          residual,
          activation,
        });
        assertClose(found, activate(added, activation), { what: `convolution ${seed}` });
      })
    );
  }
});

testOnBackends("foldedConv2d() sees every change of weights and statistics", () => {
  tf.tidy(() => {
    const rng = new Rng(2);
    const x = randomTensor(rng, [1, 6, 6, 4]);
    const weight = randomTensor(rng, [8, 3, 3, 4]);
    const norm = randomNorm(rng, 8);
    const assertFresh = (what: string) => {
      const expected = batchNorm(conv2d(x, weight), norm, EVALUATION);
      const options = { ...convGeometry({}), norm, epsilon: 1e-5, activation: "none" } as const;
      assertClose(foldedConv2d(x, weight, options), expected, { what });
    };
    assertFresh("first");
    assertFresh("again");
    for (const parameter of [weight, norm.weight, norm.bias]) {
      sgdUpdate([{
        parameter,
        gradient: tf.onesLike(parameter),
        velocity: tf.zerosLike(parameter),
        learningRate: 0.5,
      }], { loss: tf.scalar(1), momentum: 0, weightDecay: 0, clipNorm: 0, maxLoss: 10 });
      assertFresh("after an update");
    }
    batchNorm(randomTensor(rng, [2, 5, 5, 8]), norm, { ...EVALUATION, training: true });
    assertFresh("after training the statistics");
  });
});

testOnBackends("foldedConv2d() refuses a residual of another shape", () => {
  tf.tidy(() => {
    const x = tf.zeros<tf.Rank.R4>([1, 5, 5, 2]);
    const weight = tf.zeros<tf.Rank.R4>([4, 3, 3, 2]);
    const options = { ...convGeometry({}), epsilon: 1e-5, activation: "none" } as const;
    assertThrows(
      () => foldedConv2d(x, weight, { ...options, residual: tf.zeros([1, 5, 5, 4]) }),
      RangeError,
      "its shape is [1,5,5,4], expected [1,3,3,4]",
    );
    assertEquals(foldedConv2d(x, weight, options).shape, [1, 3, 3, 4]);
  });
});

function randomNorm(rng: Rng, channels: number): NormTensors {
  const vector = (mean: number) =>
    randomTensor<Tensor1D>(rng, [channels], { mean, deviation: 0.2 });
  return {
    weight: vector(1),
    bias: vector(0),
    runningMean: vector(0),
    runningVar: vector(1).abs() as Tensor1D,
  };
}
