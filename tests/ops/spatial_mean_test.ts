import * as tf from "@tensorflow/tfjs";
import { spatialMean } from "../../src/ops/spatial_mean.ts";
import { Rng } from "../../src/random.ts";
import { testOnBackends } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";
import { assertGradientsMatch } from "../support/gradient_check.ts";
import { randomTensor } from "../support/random_tensors.ts";

testOnBackends("spatialMean() is the mean of each map, with the numerical gradient", () => {
  tf.tidy(() => {
    const x = randomTensor(new Rng(7), [2, 9, 8, 5]);
    assertClose(spatialMean(x), x.mean([1, 2], true));
    assertGradientsMatch(spatialMean, [x], { step: 0.25 });
  });
});

testOnBackends("spatialMean() keeps its digits on a large map far from 0", () => {
  tf.tidy(() => {
    const x = tf.fill<tf.Rank.R4>([1, 256, 256, 3], 1000.1);
    assertClose(spatialMean(x), [1000.1, 1000.1, 1000.1], { tolerance: 1e-6 });
  });
});
