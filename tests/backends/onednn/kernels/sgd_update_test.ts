import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Scalar } from "@tensorflow/tfjs";
import type { HostBackend } from "../../../../src/backends/host_backend.ts";
import { sgdUpdate } from "../../../../src/ops/sgd_update.ts";
import { Rng } from "../../../../src/random.ts";
import {
  randomSgdEntries,
  randomSgdUpdate,
  SGD_OPTIONS,
  sgdVersions,
} from "../../../support/random_ops.ts";
import { testAgainstReference, testNative } from "../against_reference.ts";

testAgainstReference("SgdUpdate", randomSgdUpdate);

testNative("SgdUpdate marks what it changed, and nothing when it skips", () => {
  tf.tidy(() => {
    const backend = tf.backend() as HostBackend;
    const entries = randomSgdEntries(new Rng(1));
    const versions = () => sgdVersions(entries, (tensor) => backend.version(tensor));
    sgdUpdate(entries, { ...SGD_OPTIONS, loss: tf.scalar(Infinity) as Scalar });
    assertEquals(versions(), entries.map(() => [0, 0, 0]));
    sgdUpdate(entries, { ...SGD_OPTIONS, loss: tf.scalar(1) as Scalar });
    assertEquals(versions(), entries.map(() => [1, 0, 1]));
  });
});
