import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { OnednnBackend } from "../../../src/backends/onednn/backend.ts";
import { NativeCpu } from "../../../src/backends/onednn/bindings/native.ts";
import { nativeLibrary } from "../../../src/backends/onednn/toolchain.ts";
import { NativeError } from "../../../src/ffi/library.ts";
import { Conv2d, convGeometry, foldedConv2d } from "../../../src/ops/mod.ts";
import { Rng } from "../../../src/random.ts";
import { randomTensor } from "../../support/random_tensors.ts";
import { testNative } from "./against_reference.ts";

testNative("OnednnBackend reports a failed call with its name and shapes", () => {
  tf.tidy(() => {
    const x = randomTensor(new Rng(1), [1, 5, 5, 4]),
      weight = randomTensor(new Rng(2), [8, 3, 3, 4]);
    // The op itself would refuse this geometry.
    const attributes = { ...convGeometry({}), groups: 3 };
    const error = assertThrows(
      () => Conv2d.run({ x, weight, bias: undefined }, attributes),
      Error,
    );
    assertStringIncludes(error.message, "[1,5,5,4]");
  });
});

testNative("OnednnBackend refuses a convolution whose shapes do not fit, as a NativeError", () => {
  const backend = tf.backend() as OnednnBackend;
  const problem = {
    direction: "forward",
    x: [1, 5, 5, 4],
    weight: [8, 3, 3, 4],
    y: [1, 9, 9, 8], // too large for this input
    geometry: convGeometry({}),
  } as const;
  const error = assertThrows(() => backend.convolutions.plan(problem), NativeError);
  assertEquals(error.call, "siamban_conv2d_plan");
  assertStringIncludes(error.message, "x [1,5,5,4], weight [8,3,3,4]");
});

testNative("pinThreads() ties all threads but one, where there are processors enough", async () => {
  const native = new NativeCpu(await nativeLibrary());
  const threads = Math.min(2, navigator.hardwareConcurrency);
  native.setThreads(threads);
  assertEquals(native.pinThreads(), Deno.build.os === "linux" ? threads - 1 : 0);
});

testNative("A thousand steps use the same memory again", () => {
  const backend = tf.backend() as OnednnBackend;
  const x = randomTensor(new Rng(1), [2, 20, 20, 32]);
  const step = () =>
    tf.tidy(() => {
      // New weights each time, so that packed filters come and go, too.
      const weight = randomTensor(new Rng(2), [32, 3, 3, 32]);
      const options = { ...convGeometry({ padding: 1 }), activation: "relu", epsilon: 0 } as const;
      return foldedConv2d(foldedConv2d(x, weight, options), weight, options).sum().dataSync();
    });
  for (let i = 0; i < 50; i++) step();
  const before = { rss: Deno.memoryUsage().rss, data: backend.numDataIds() };
  for (let i = 0; i < 950; i++) step();
  assertEquals(backend.numDataIds(), before.data);
  const grown = (Deno.memoryUsage().rss - before.rss) / 2 ** 20;
  assert(grown < 200, `The process grew by ${grown} MiB`);
  x.dispose();
});

testNative(
  "Values read from a tensor stay as they are when it is freed and its memory used again",
  () => {
    const x = randomTensor(new Rng(1), [1, 32, 32, 8]);
    const doubled = x.add(x);
    const values = doubled.dataSync();
    const before = values.slice();
    doubled.dispose();
    x.mul(0).dispose();
    assertEquals(values, before);
    x.dispose();
  },
);
