import { assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { xcorrPixelwise } from "../../src/ops/xcorr_pixelwise.ts";
import { Rng } from "../../src/random.ts";
import { testOnBackends } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";
import { assertGradientsMatch } from "../support/gradient_check.ts";
import { randomTensor } from "../support/random_tensors.ts";

testOnBackends("xcorrPixelwise() is a dot product with each position of the template", () => {
  tf.tidy(() => {
    const rng = new Rng(8);
    const x = randomTensor(rng, [2, 4, 5, 3]), z = randomTensor(rng, [2, 2, 3, 3]);
    const positions = [0, 1, 2, 3, 4, 5].map((p) =>
      x.mul(z.slice([0, Math.floor(p / 3), p % 3, 0], [-1, 1, 1, -1])).sum(3, true)
    );
    assertClose(xcorrPixelwise(x, z), tf.concat(positions, 3));
    assertGradientsMatch(xcorrPixelwise, [x, z], { step: 0.25 });
  });
});

testOnBackends("xcorrPixelwise() refuses batches or channels that differ", () => {
  tf.tidy(() => {
    const x = tf.zeros<tf.Rank.R4>([2, 4, 4, 3]);
    assertThrows(() => xcorrPixelwise(x, tf.zeros([1, 2, 2, 3])), RangeError, "equal batch");
    assertThrows(() => xcorrPixelwise(x, tf.zeros([2, 2, 2, 4])), RangeError, "and channels");
  });
});
