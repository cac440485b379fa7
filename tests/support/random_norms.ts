/** Batch norms of random tensors, for every backend that has a kernel of its own. */
import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import type { ActivationKind } from "../../src/ops/activation.ts";
import { batchNorm } from "../../src/ops/batch_norm.ts";
import { Rng } from "../../src/random.ts";
import { assertClose } from "./close.ts";
import { choose, randomTensor } from "./random_tensors.ts";
import type { Results } from "./results.ts";

/** A norm with and without residual, in both modes, with all gradients and the statistics after it. */
export function randomBatchNorm(rng: Rng): Results {
  const channels = choose(rng, 1, 3, 16, 37, 64, 256, 300);
  const shape = [1 + rng.integer(9), 3 + rng.integer(8), 2 + rng.integer(9), channels];
  const x = randomTensor(rng, shape, { mean: 3, deviation: 2 });
  const residual = randomTensor(rng, shape);
  const norm = normTensors(rng, channels);
  const dy = randomTensor(rng, shape);
  const options = {
    training: choose(rng, true, false),
    activation: choose<ActivationKind>(rng, "none", "relu", "relu6"),
    epsilon: 1e-5,
    momentum: 0.1,
  };
  const run = (x: Tensor4D, weight: Tensor1D, bias: Tensor1D, residual: Tensor4D) =>
    batchNorm(x, { ...norm, weight, bias }, { ...options, residual });
  const [dx, dweight, dbias, dresidual] = tf.grads(run as Parameters<typeof tf.grads>[0])(
    [x, norm.weight, norm.bias, residual],
    dy,
  );
  const plain = (x: Tensor4D) => batchNorm(x, norm, options);
  return {
    dx,
    dweight,
    dbias,
    dresidual,
    y: run(x, norm.weight, norm.bias, residual),
    plain: plain(x),
    plainDx: tf.grad(plain as Parameters<typeof tf.grad>[0])(x, dy),
    runningMean: norm.runningMean.clone(),
    runningVar: norm.runningVar.clone(),
  };
}

/** That a small variance on a large mean is not lost in rounding, on the backend in use. */
export function assertSmallVarianceFound(): void {
  tf.tidy(() => {
    const rows = 5000;
    const noise = randomTensor(new Rng(3), [1, rows, 1, 2], { deviation: 0.01 });
    const norm = normTensors(new Rng(4), 2);
    const x = noise.add<Tensor4D>(1000);
    const options = { training: true, activation: "none", epsilon: 1e-12, momentum: 1 } as const;
    batchNorm(x, norm, options);
    const values = Array.from(x.dataSync());
    for (const channel of [0, 1]) {
      const own = values.filter((_, i) => i % 2 === channel);
      const mean = own.reduce((sum, value) => sum + value, 0) / rows;
      const squares = own.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      assertClose(norm.runningMean.dataSync()[channel], mean, { tolerance: 1e-7 });
      assertClose(norm.runningVar.dataSync()[channel], squares / (rows - 1), { tolerance: 1e-5 });
    }
  });
}

/** That a channel that is not finite keeps its running statistics, on the backend in use. */
export function assertStatisticsKept(): void {
  tf.tidy(() => {
    const norm = normTensors(new Rng(4), 2);
    const before = norm.runningMean.dataSync();
    const x = tf.tensor4d([1, Infinity, 3, 4], [1, 2, 1, 2]);
    const options = { training: true, activation: "relu", epsilon: 1e-5, momentum: 0.5 } as const;
    const y = batchNorm(x, norm, options).dataSync();
    const after = norm.runningMean.dataSync();
    assertClose(after[0], 0.5 * before[0] + 1);
    assertEquals(after[1], before[1]);
    assert(Number.isNaN(y[1]), "A value that is not a number stays visible");
  });
}

function normTensors(rng: Rng, channels: number) {
  const vector = (mean: number) =>
    randomTensor<Tensor1D>(rng, [channels], { mean, deviation: 0.2 });
  return { weight: vector(1), bias: vector(0), runningMean: vector(0), runningVar: vector(2) };
}
