import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor } from "@tensorflow/tfjs";
import type { InPlaceBackend } from "../../../../src/backends/in_place_backend.ts";
import { useBackend } from "../../../../src/backends/mod.ts";
import { sgdUpdate } from "../../../../src/ops/sgd_update.ts";
import { Rng } from "../../../../src/random.ts";
import {
  randomSgdEntries,
  randomSgdUpdate,
  SGD_OPTIONS,
  sgdValues,
  sgdVersions,
} from "../../../support/random_ops.ts";
import { testEmulated, testOnCuda } from "../against_reference.ts";

testOnCuda("SgdUpdate", randomSgdUpdate);

testOnCuda("SgdUpdate with a gradient that is not a number", (rng) => {
  const entries = randomSgdEntries(rng);
  const gradient = entries[1].gradient.div<Tensor>(tf.scalar(0));
  const spoilt = entries.map((entry, i) => i === 1 ? { ...entry, gradient } : entry);
  const report = sgdUpdate(spoilt, { ...SGD_OPTIONS, loss: tf.scalar(1) });
  return { applied: report.slice([2], [1]), ...sgdValues(entries) };
}, { seeds: 1, tolerance: 0 });

testOnCuda("SgdUpdate with a gradient whose square is no float", () => {
  const entry = {
    parameter: tf.tensor1d([1, 2]),
    gradient: tf.tensor1d([1e25, -1e30]),
    velocity: tf.tensor1d([0, 0]),
    learningRate: 0.5,
  };
  const report = sgdUpdate([entry], { ...SGD_OPTIONS, loss: tf.scalar(1) });
  return { report, ...sgdValues([entry]) };
}, { seeds: 1 });

testEmulated("SgdUpdate on the device marks what may have changed", async () => {
  await using _ = await useBackend("emulated");
  tf.tidy(() => {
    const backend = tf.backend() as unknown as InPlaceBackend;
    const entries = randomSgdEntries(new Rng(1));
    sgdUpdate(entries, { ...SGD_OPTIONS, loss: tf.scalar(1) });
    const versions = sgdVersions(entries, (tensor) => backend.version(tensor));
    assertEquals(versions, entries.map(() => [1, 0, 1]));
  });
});
