import { assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { channelGate } from "../../src/ops/channel_gate.ts";
import { Rng } from "../../src/random.ts";
import { testOnBackends } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";
import { assertGradientsMatch } from "../support/gradient_check.ts";
import { randomTensor } from "../support/random_tensors.ts";

testOnBackends("channelGate() scales each channel of each image by its sigmoid", () => {
  tf.tidy(() => {
    const rng = new Rng(5);
    const x = randomTensor(rng, [2, 3, 4, 5]);
    const gate = randomTensor(rng, [2, 1, 1, 5], { deviation: 3 });
    assertClose(channelGate(x, gate, "sigmoid"), x.mul(gate.sigmoid()));
    const hard = gate.div(6).add(0.5).clipByValue(0, 1);
    assertClose(channelGate(x, gate, "hard_sigmoid"), x.mul(hard));
  });
});

for (const kind of ["sigmoid", "hard_sigmoid"] as const) {
  testOnBackends(`channelGate() has the numerical gradient, ${kind},`, () => {
    tf.tidy(() => {
      const rng = new Rng(6);
      const x = randomTensor(rng, [2, 3, 4, 5]);
      // Open, shut and between, none within a step of a kink.
      const gate = tf.tensor4d([-5, -2, 0, 1, 4, 2.5, -1, 0.5, -4, 6], [2, 1, 1, 5]);
      assertGradientsMatch(
        (x: Tensor4D, gate: Tensor4D) => channelGate(x, gate, kind),
        [x, gate],
        { step: 0.1 },
      );
    });
  });
}

testOnBackends("channelGate() refuses a gate of other channels", () => {
  tf.tidy(() => {
    const x = tf.zeros<tf.Rank.R4>([2, 3, 4, 5]);
    assertThrows(() => channelGate(x, tf.zeros([2, 1, 1, 4]), "sigmoid"), RangeError, "[2,1,1,5]");
    assertThrows(() => channelGate(x, tf.zeros([1, 1, 1, 5]), "sigmoid"), RangeError, "[2,1,1,5]");
  });
});
