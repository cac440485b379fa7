import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Scalar } from "@tensorflow/tfjs";
import type { HostBackend } from "../../../../src/backends/host_backend.ts";
import { type SgdEntry, sgdUpdate } from "../../../../src/ops/sgd_update.ts";
import { Rng } from "../../../../src/random.ts";
import { choose, randomTensor } from "../../../support/random_tensors.ts";
import { testAgainstReference, testNative } from "../against_reference.ts";

const OPTIONS = { momentum: 0.9, weightDecay: 1e-4, clipNorm: 10, maxLoss: 1e4 };

testAgainstReference("SgdUpdate", (rng) => {
  const entries = makeEntries(rng);
  const clipNorm = choose(rng, 0, 1, 1e6);
  const loss = tf.scalar(choose(rng, 1, 1, 1, NaN, 1e5));
  const first = sgdUpdate(entries, { ...OPTIONS, clipNorm, loss });
  const second = sgdUpdate(entries, { ...OPTIONS, clipNorm, loss });
  const after = entries.flatMap(({ parameter, velocity }, i) => [
    [`parameter${i}`, parameter.clone()],
    [`velocity${i}`, velocity.clone()],
  ]);
  return { first, second, ...Object.fromEntries(after) };
});

testNative("SgdUpdate marks what it changed, and nothing when it skips", () => {
  tf.tidy(() => {
    const backend = tf.backend() as HostBackend;
    const entries = makeEntries(new Rng(1));
    const versions = () =>
      entries.map(({ parameter, gradient, velocity }) =>
        [parameter, gradient, velocity].map((tensor) => backend.version(tensor))
      );
    sgdUpdate(entries, { ...OPTIONS, loss: tf.scalar(Infinity) as Scalar });
    assertEquals(versions(), entries.map(() => [0, 0, 0]));
    sgdUpdate(entries, { ...OPTIONS, loss: tf.scalar(1) as Scalar });
    assertEquals(versions(), entries.map(() => [1, 0, 1]));
  });
});

function makeEntries(rng: Rng): SgdEntry[] {
  const shapes = [[3], [5, 3, 3, 7], [1], [40000], [129, 257]];
  return shapes.map((shape, i) => ({
    parameter: randomTensor(rng, shape),
    gradient: randomTensor(rng, shape),
    velocity: randomTensor(rng, shape),
    learningRate: 0.01 * (i + 1),
  }));
}
