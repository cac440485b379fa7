import { assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import { batchNorm, type BatchNormAttributes } from "../../src/ops/batch_norm.ts";
import type { NormTensors } from "../../src/ops/folded_conv2d.ts";
import { Rng } from "../../src/random.ts";
import { testOnBackends } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";
import { type Golden, readGolden } from "../support/golden.ts";
import { assertGradientsMatch } from "../support/gradient_check.ts";
import { assertNoLeak } from "../support/leaks.ts";
import { randomTensor } from "../support/random_tensors.ts";

interface NormCase {
  readonly prefix: string;
  readonly train: boolean;
  readonly eps: number;
  readonly momentum: number;
}

const TRAINING: BatchNormAttributes = {
  training: true,
  epsilon: 1e-5,
  momentum: 0.1,
  activation: "none",
};

const layers: Golden<{ batch_norm: NormCase[] }> = await readGolden("ops/layers");

for (const { prefix, train, eps, momentum } of layers.json.batch_norm) {
  const options = { training: train, epsilon: eps, momentum, activation: "none" } as const;
  testOnBackends(`batchNorm() equals PyTorch forward and backward, ${prefix},`, () => {
    assertNoLeak(() =>
      tf.tidy(() => {
        const vector = (name: string) => layers.tensor<Tensor1D>(`${prefix}.${name}`);
        const runningMean = vector("running_mean"), runningVar = vector("running_var");
        const { value, grads: [dx, dweight, dbias] } = tf.valueAndGrads((x, weight, bias) => {
          const norm = { weight, bias, runningMean, runningVar } as NormTensors;
          return batchNorm(x as Tensor4D, norm, options);
        })(
          [layers.activations(`${prefix}.x`), vector("weight"), vector("bias")],
          layers.activations(`${prefix}.grad_out`),
        );
        assertClose(value, layers.activations(`${prefix}.out`), { what: "y" });
        assertClose(dx, layers.activations(`${prefix}.grad_x`), { what: "dx" });
        assertClose(dweight, vector("grad_weight"), { what: "dweight" });
        assertClose(dbias, vector("grad_bias"), { what: "dbias" });
        assertClose(runningMean, vector("running_mean_after"), { what: "running mean" });
        assertClose(runningVar, vector("running_var_after"), { what: "running variance" });
      })
    );
  });
}

for (const training of [true, false]) {
  for (const activation of ["none", "relu", "relu6"] as const) {
    const mode = training ? "training" : "evaluation";
    testOnBackends(`batchNorm() has the numerical gradient in ${mode} with ${activation}`, () => {
      tf.tidy(() => {
        const rng = new Rng(4);
        const shape = [2, 3, 4, 5];
        const norm = randomNorm(rng, 5);
        // Normalised values of 0.5 ± 0.3 and these stay away from the kinks at 0 and 6.
        const levels = randomTensor(rng, shape).mul(1e3).sign().mul(2.9).add(2.9);
        const residual = levels.add(randomTensor(rng, shape, { deviation: 0.05 })).sub(0.9);
        const scaled = { weight: tf.fill<tf.Rank.R1>([5], 0.2), bias: tf.fill<tf.Rank.R1>([5], 0) };
        assertGradientsMatch(
          (x: Tensor4D, weight: Tensor1D, bias: Tensor1D, residual: Tensor4D) =>
            batchNorm(x, { ...norm, weight, bias }, {
              ...TRAINING,
              training,
              activation,
              residual,
            }),
          [
            randomTensor(rng, shape, { mean: 0.3, deviation: 0.8 }),
            scaled.weight,
            scaled.bias,
            residual,
          ],
        );
      });
    });
  }
}

testOnBackends("batchNorm() adds the residual before it activates", () => {
  tf.tidy(() => {
    const rng = new Rng(5);
    const norm = randomNorm(rng, 3);
    const x = randomTensor(rng, [2, 4, 4, 3]), residual = randomTensor(rng, [2, 4, 4, 3]);
    const evaluation = { ...TRAINING, training: false };
    const plain = batchNorm(x, norm, evaluation);
    const found = batchNorm(x, norm, { ...evaluation, activation: "relu", residual });
    assertClose(found, plain.add(residual).relu());
  });
});

testOnBackends("batchNorm() takes gradients to x and to a residual that is x", () => {
  tf.tidy(() => {
    const rng = new Rng(6);
    const norm = randomNorm(rng, 3);
    assertGradientsMatch(
      (x: Tensor4D) => batchNorm(x, norm, { ...TRAINING, training: false, residual: x }),
      [randomTensor(rng, [2, 3, 3, 3])],
      { step: 0.1 },
    );
  });
});

testOnBackends("batchNorm() in evaluation leaves the running statistics", () => {
  tf.tidy(() => {
    const rng = new Rng(7);
    const norm = randomNorm(rng, 3);
    const before = [norm.runningMean.dataSync(), norm.runningVar.dataSync()];
    batchNorm(randomTensor(rng, [2, 3, 3, 3]), norm, { ...TRAINING, training: false });
    assertEquals([norm.runningMean.dataSync(), norm.runningVar.dataSync()], before);
  });
});

testOnBackends("batchNorm() keeps the running statistics of a channel that is not finite", () => {
  tf.tidy(() => {
    const rng = new Rng(8);
    const norm = randomNorm(rng, 3);
    const mean = norm.runningMean.dataSync(), variance = norm.runningVar.dataSync();
    const values = randomTensor(rng, [2, 3, 3, 3]).dataSync();
    values[1] = NaN;
    values[5] = 1e30; // finite, but its square is not in float32
    batchNorm(tf.tensor(values, [2, 3, 3, 3]), norm, TRAINING);
    const meanAfter = norm.runningMean.dataSync(), varianceAfter = norm.runningVar.dataSync();
    assertEquals([...meanAfter].map((m, c) => m === mean[c]), [false, true, true]);
    assertEquals([...varianceAfter].map((v, c) => v === variance[c]), [false, true, true]);
  });
});

testOnBackends("batchNorm() is accurate for a mean far from 0", () => {
  tf.tidy(() => {
    const x = randomTensor(new Rng(9), [4, 8, 8, 2], { mean: 300, deviation: 0.5 });
    const norm = {
      weight: tf.ones<tf.Rank.R1>([2]),
      bias: tf.zeros<tf.Rank.R1>([2]),
      runningMean: tf.zeros<tf.Rank.R1>([2]),
      runningVar: tf.ones<tf.Rank.R1>([2]),
    };
    const y = batchNorm(x, norm, TRAINING);
    const { mean, variance } = tf.moments(y, [0, 1, 2]);
    assertClose(mean, [0, 0], { tolerance: 1e-3 });
    assertClose(variance, [1, 1], { tolerance: 1e-3 });
  });
});

testOnBackends("batchNorm() refuses other channels than its own", () => {
  tf.tidy(() => {
    const norm = randomNorm(new Rng(10), 3);
    assertThrows(
      () => batchNorm(tf.zeros([2, 3, 3, 4]), norm, TRAINING),
      RangeError,
      "input is [2,3,3,4], expected 3 channels",
    );
  });
});

testOnBackends("batchNorm() refuses to train on one value a channel", () => {
  tf.tidy(() => {
    const norm = randomNorm(new Rng(11), 3);
    const single = tf.zeros<tf.Rank.R4>([1, 1, 1, 3]);
    assertThrows(() => batchNorm(single, norm, TRAINING), RangeError, "more than 1 value");
    assertEquals(batchNorm(single, norm, { ...TRAINING, training: false }).shape, [1, 1, 1, 3]);
  });
});

function randomNorm(rng: Rng, channels: number): NormTensors {
  const vector = (mean: number): Tensor => randomTensor(rng, [channels], { mean, deviation: 0.2 });
  return {
    weight: vector(1) as Tensor1D,
    bias: vector(0) as Tensor1D,
    runningMean: vector(0) as Tensor1D,
    runningVar: vector(1).abs() as Tensor1D,
  };
}
