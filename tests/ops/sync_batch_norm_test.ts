import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import { ALONE, type Collective } from "../../src/collective.ts";
import { batchNorm } from "../../src/ops/batch_norm.ts";
import { syncBatchNorm } from "../../src/ops/sync_batch_norm.ts";
import { HOST_BACKENDS, testOnBackends } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";
import { assertNoLeak } from "../support/leaks.ts";

/** The other rank of a job of two, played from a recording of what it gave to each sum. */
function rankBeside(other: readonly Float32Array[], given: Float32Array[]): Collective {
  let call = 0;
  return {
    ...ALONE,
    size: 2,
    sum(values) {
      given.push(Float32Array.from(values));
      const theirs = other[call++];
      if (theirs) { for (let i = 0; i < values.length; i++) values[i] += theirs[i]; }
    },
  };
}

const EPSILON = 1e-5;

testOnBackends("syncBatchNorm normalises two ranks' batches as one, forward and backward", () => {
  const channels = 3;
  const both = tf.randomNormal([4, 5, 6, channels], 2, 3, "float32", 7) as Tensor4D;
  const halves = tf.split(both, 2) as Tensor4D[];
  const residual = tf.randomNormal(both.shape, 0, 1, "float32", 8) as Tensor4D;
  const residuals = tf.split(residual, 2) as Tensor4D[];
  const weight = tf.tensor1d([0.5, 1.5, -1]), bias = tf.tensor1d([0.1, -0.2, 0.3]);
  const slope = tf.randomNormal(both.shape, 0, 1, "float32", 9) as Tensor4D;
  const slopes = tf.split(slope, 2) as Tensor4D[];

  const whole = tf.grads((x: Tensor, w: Tensor, b: Tensor, r: Tensor) =>
    batchNorm(x as Tensor4D, {
      weight: w as Tensor1D,
      bias: b as Tensor1D,
      runningMean: tf.zeros([channels]),
      runningVar: tf.ones([channels]),
    }, {
      training: true,
      momentum: 0.1,
      epsilon: EPSILON,
      activation: "relu",
      residual: r as Tensor4D,
    }).mul(slope).sum()
  )([both, weight, bias, residual]);

  // The ranks wait for each other in each sum: replay until each has heard the other's last one.
  let heard: Float32Array[][] = [[], []];
  let parts: Tensor[][] = [];
  for (let round = 0; round < 5; round++) {
    const given: Float32Array[][] = [[], []];
    parts = [0, 1].map((rank) => {
      const collective = rankBeside(heard[1 - rank], given[rank]);
      return tf.grads((x: Tensor, w: Tensor, b: Tensor, r: Tensor) =>
        syncBatchNorm(x as Tensor4D, { weight: w as Tensor1D, bias: b as Tensor1D }, {
          collective,
          epsilon: EPSILON,
          activation: "relu",
          residual: r as Tensor4D,
        }).y.mul(slopes[rank]).sum()
      )([halves[rank], weight, bias, residuals[rank]]);
    });
    heard = given;
  }
  const [dx, dweight, dbias, dresidual] = whole;
  assertClose(tf.concat([parts[0][0], parts[1][0]]), dx, { tolerance: 1e-4 });
  assertClose(parts[0][1].add(parts[1][1]), dweight, { tolerance: 1e-4 });
  assertClose(parts[0][2].add(parts[1][2]), dbias, { tolerance: 1e-4 });
  assertClose(tf.concat([parts[0][3], parts[1][3]]), dresidual, { tolerance: 1e-4 });
}, HOST_BACKENDS);

testOnBackends("syncBatchNorm leaves no tensor behind", () => {
  const x = tf.randomNormal([2, 3, 3, 2]) as Tensor4D;
  const weight = tf.ones([2]) as Tensor1D, bias = tf.zeros([2]) as Tensor1D;
  assertNoLeak(() => {
    const found = tf.tidy((): Record<string, Tensor> => ({
      ...syncBatchNorm(x, { weight, bias }, {
        collective: rankBeside([], []),
        epsilon: EPSILON,
        activation: "none",
      }),
    }));
    tf.dispose([...Object.values(found)]);
  });
}, HOST_BACKENDS);
