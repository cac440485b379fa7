import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor } from "@tensorflow/tfjs";
import type { InPlaceBackend } from "../../../../src/backends/in_place_backend.ts";
import { useBackend } from "../../../../src/backends/mod.ts";
import { type SgdEntry, sgdUpdate } from "../../../../src/ops/sgd_update.ts";
import { Rng } from "../../../../src/random.ts";
import { choose, randomTensor } from "../../../support/random_tensors.ts";
import { testEmulated, testOnCuda } from "../against_reference.ts";

const OPTIONS = { momentum: 0.9, weightDecay: 1e-4, clipNorm: 10, maxLoss: 1e4 };

testOnCuda("SgdUpdate", (rng) => {
  const entries = makeEntries(rng);
  const clipNorm = choose(rng, 0, 1, 1e6);
  const loss = tf.scalar(choose(rng, 1, 1, 1, NaN, 1e5));
  const first = sgdUpdate(entries, { ...OPTIONS, clipNorm, loss });
  const second = sgdUpdate(entries, { ...OPTIONS, clipNorm, loss });
  return { first, second, ...values(entries) };
});

testOnCuda("SgdUpdate with a gradient that is not a number", (rng) => {
  const entries = makeEntries(rng);
  const gradient = entries[1].gradient.div<Tensor>(tf.scalar(0));
  const spoilt = entries.map((entry, i) => i === 1 ? { ...entry, gradient } : entry);
  const report = sgdUpdate(spoilt, { ...OPTIONS, loss: tf.scalar(1) });
  return { applied: report.slice([2], [1]), ...values(entries) };
}, { seeds: 1, tolerance: 0 });

testOnCuda("SgdUpdate with a gradient whose square is no float", () => {
  const entry = {
    parameter: tf.tensor1d([1, 2]),
    gradient: tf.tensor1d([1e25, -1e30]),
    velocity: tf.tensor1d([0, 0]),
    learningRate: 0.5,
  };
  const report = sgdUpdate([entry], { ...OPTIONS, loss: tf.scalar(1) });
  return { report, ...values([entry]) };
}, { seeds: 1 });

testEmulated("SgdUpdate on the device marks what may have changed", async () => {
  await using _ = await useBackend("emulated");
  tf.tidy(() => {
    const backend = tf.backend() as unknown as InPlaceBackend;
    const entries = makeEntries(new Rng(1));
    sgdUpdate(entries, { ...OPTIONS, loss: tf.scalar(1) });
    const versions = entries.map(({ parameter, gradient, velocity }) =>
      [parameter, gradient, velocity].map((tensor) => backend.version(tensor))
    );
    assertEquals(versions, entries.map(() => [1, 0, 1]));
  });
});

function values(entries: readonly SgdEntry[]): Record<string, Tensor> {
  return Object.fromEntries(
    entries.flatMap(({ parameter, velocity }, i) => [
      [`parameter${i}`, parameter.clone()],
      [`velocity${i}`, velocity.clone()],
    ]),
  );
}

/** One of them longer than a block's chunk, some of lengths that no vector divides. */
function makeEntries(rng: Rng): SgdEntry[] {
  const shapes = [[3], [5, 3, 3, 7], [1], [40000], [129, 257]];
  return shapes.map((shape, i) => ({
    parameter: randomTensor(rng, shape),
    gradient: randomTensor(rng, shape),
    velocity: randomTensor(rng, shape),
    learningRate: 0.01 * (i + 1),
  }));
}
