import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { assertEquals } from "@std/assert";
import { ALONE, type Collective } from "../../src/collective.ts";
import { BatchNorm2d, freezeNorms, setTraining } from "../../src/nn/mod.ts";
import { testOnBackends } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";

testOnBackends("freezeNorms() has norms use and keep their running statistics in training", () => {
  using norm = new BatchNorm2d(2);
  setTraining(norm, true);
  norm.runningMean.overwrite(Float32Array.of(1, -2));
  norm.runningVar.overwrite(Float32Array.of(4, 0.25));
  freezeNorms(norm);
  const x = tf.tensor4d([3, -1, -1, -2.5], [1, 1, 2, 2]);
  const y = norm.forward(x as Tensor4D);
  assertClose(y.dataSync(), [1, 2, -1, -1], { tolerance: 1e-4 });
  assertEquals([...norm.runningMean.tensor.dataSync()], [1, -2]);
  assertEquals([...norm.runningVar.tensor.dataSync()], [4, 0.25]);
  assertEquals(norm.numBatchesTracked.value, 0);
});

testOnBackends("freezeNorms() gives all ranks the statistics of rank 0", () => {
  using norm = new BatchNorm2d(2);
  setTraining(norm, true);
  const ofRank0 = [Float32Array.of(5, 6), Float32Array.of(7, 8)];
  const collective: Collective = {
    ...ALONE,
    rank: 1,
    size: 2,
    broadcast: (bytes) => bytes.set(new Uint8Array(ofRank0.shift()!.buffer)),
  };
  freezeNorms(norm, collective);
  assertEquals([...norm.runningMean.tensor.dataSync()], [5, 6]);
  assertEquals([...norm.runningVar.tensor.dataSync()], [7, 8]);
});
