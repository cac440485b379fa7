import { assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor } from "@tensorflow/tfjs";
import { type SgdEntry, sgdUpdate } from "../../src/ops/sgd_update.ts";
import { Rng } from "../../src/random.ts";
import { testOnBackends } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";
import { readGolden } from "../support/golden.ts";
import { assertNoLeak } from "../support/leaks.ts";
import { randomTensor } from "../support/random_tensors.ts";

interface SgdCase {
  readonly prefix: string;
  readonly lr: readonly number[];
  readonly momentum: number;
  readonly weight_decay: number;
  readonly clip: number;
  readonly norm_before_clip: readonly number[];
}

const OPTIONS = { momentum: 0.9, weightDecay: 1e-4, clipNorm: 10, maxLoss: 1e4 };

const layers = await readGolden<{ sgd: SgdCase[] }>("ops/layers");

for (const { prefix, lr, momentum, weight_decay, clip, norm_before_clip } of layers.json.sgd) {
  testOnBackends(`sgdUpdate() equals PyTorch with clipping over 3 steps, ${prefix},`, () => {
    tf.tidy(() => {
      const golden = (name: string) => layers.tensor(`${prefix}.${name}`);
      const parameters = lr.map((_, i) => golden(`p${i}.init`));
      const velocities = parameters.map((parameter) => tf.zerosLike(parameter));
      norm_before_clip.forEach((norm, step) => {
        const entries = lr.map((learningRate, i): SgdEntry => ({
          parameter: parameters[i],
          gradient: golden(`p${i}.grad${step}`),
          velocity: velocities[i],
          learningRate,
        }));
        const report = sgdUpdate(entries, {
          loss: tf.scalar(1),
          momentum,
          weightDecay: weight_decay,
          clipNorm: clip,
          maxLoss: 100,
        });
        assertClose(report, [norm, Math.min(1, clip / (norm + 1e-6)), 1]);
        lr.forEach((_, i) => {
          assertClose(parameters[i], golden(`p${i}.after${step}`), { what: `parameter ${i}` });
          assertClose(velocities[i], golden(`p${i}.momentum${step}`), { what: `velocity ${i}` });
        });
      });
    });
  });
}

testOnBackends("sgdUpdate() clips by the norm over all parameters together", () => {
  tf.tidy(() => {
    const entries = [entryOf([0, 0], [3, 0]), entryOf([0, 0, 0], [0, 4, 0])];
    const report = sgdUpdate(entries, {
      ...OPTIONS,
      clipNorm: 1,
      weightDecay: 0,
      loss: tf.scalar(0),
    });
    assertClose(report, [5, 0.2, 1]);
    assertClose(entries[0].parameter, [-0.6, 0]);
    assertClose(entries[1].parameter, [0, -0.8, 0]);
  });
});

testOnBackends("sgdUpdate() does not clip with a largest norm of 0", () => {
  tf.tidy(() => {
    const entries = [entryOf([0], [1e4])];
    assertClose(sgdUpdate(entries, { ...OPTIONS, clipNorm: 0, loss: tf.scalar(0) }), [1e4, 1, 1]);
    assertClose(entries[0].parameter, [-1e4]);
  });
});

for (
  const [what, loss, gradient] of [
    ["a loss that is not a number", NaN, 1],
    ["an infinite loss", Infinity, 1],
    ["a loss above the largest", 1.1e4, 1],
    ["a gradient that is not a number", 1, NaN],
    ["an infinite gradient", 1, -Infinity],
  ] as const
) {
  testOnBackends(`sgdUpdate() changes nothing for ${what}`, () => {
    tf.tidy(() => {
      const entries = [entryOf([1, 2], [0.5, 0.5]), entryOf([3], [gradient])];
      const report = sgdUpdate(entries, { ...OPTIONS, loss: tf.scalar(loss) });
      assertEquals(report.dataSync()[2], 0);
      assertEquals([...entries[0].parameter.dataSync(), ...entries[0].velocity.dataSync()], [
        1,
        2,
        0,
        0,
      ]);
      assertEquals([...entries[1].parameter.dataSync()], [3]);
    });
  });
}

testOnBackends("sgdUpdate() updates variables of many sizes without leaking", () => {
  const rng = new Rng(1);
  assertNoLeak(() =>
    tf.tidy(() => {
      const entries = Array.from({ length: 40 }, (_, i): SgdEntry => ({
        parameter: randomTensor(rng, [1 + i * 7]),
        gradient: randomTensor(rng, [1 + i * 7]),
        velocity: randomTensor(rng, [1 + i * 7]),
        learningRate: 0.1 / (i + 1),
      }));
      const expected = entries.map(({ parameter, gradient, velocity, learningRate }) =>
        parameter.sub(
          gradient.add(parameter.mul(OPTIONS.weightDecay)).add(velocity.mul(OPTIONS.momentum))
            .mul(learningRate),
        )
      );
      sgdUpdate(entries, { ...OPTIONS, clipNorm: 0, loss: tf.scalar(1) });
      entries.forEach(({ parameter }, i) => assertClose(parameter, expected[i]));
    })
  );
});

testOnBackends("sgdUpdate() refuses a gradient of another size", () => {
  tf.tidy(() => {
    const entry = { ...entryOf([1, 2], [1, 2]), gradient: tf.zeros([3]) };
    assertThrows(
      () => sgdUpdate([entry], { ...OPTIONS, loss: tf.scalar(1) }),
      RangeError,
      "Cannot update parameter 0: its shape is [2], its gradient's [3], its velocity's [2]",
    );
  });
});

function entryOf(parameter: number[], gradient: number[]): SgdEntry {
  const tensor = (values: number[]): Tensor => tf.tensor1d(values);
  return {
    parameter: tensor(parameter),
    gradient: tensor(gradient),
    velocity: tf.zeros([parameter.length]),
    learningRate: 1,
  };
}
