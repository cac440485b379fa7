import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { BACKENDS } from "../support/backends.ts";
import { conv2d } from "../../src/ops/mod.ts";

const onednn = BACKENDS.find(({ name }) => name === "onednn")!;

Deno.test({
  name: "startProfile() counts calls, arithmetic and memory until it is stopped",
  ignore: !onednn.available,
  async fn() {
    await using backend = await onednn.use();
    const x = tf.ones<tf.Rank.R4>([2, 9, 9, 16]), weight = tf.ones<tf.Rank.R4>([32, 3, 3, 16]);
    const profile = backend.startProfile()!;
    conv2d(x, weight).dispose();
    profile.stop();
    conv2d(x, weight).dispose();
    const convolution = profile.ops.find(({ op }) => op === "conv 3x3 forward")!;
    assertEquals(convolution.calls, 1);
    assertEquals(convolution.flops, 2 * (2 * 7 * 7) * 32 * (3 * 3 * 16));
    assert(convolution.seconds > 0 && convolution.seconds <= profile.seconds);
    assert(profile.allocatedBytes >= 4 * (2 * 7 * 7 * 32));
    tf.dispose([x, weight]);
  },
});

Deno.test({
  name: "measurePeak() finds more arithmetic than memory traffic",
  ignore: !onednn.available,
  async fn() {
    await using backend = await onednn.use();
    const { flops, bytes } = backend.measurePeak()!;
    assert(flops > 1e9 && bytes > 1e8 && flops > bytes, `${flops} operations, ${bytes} bytes`);
  },
});
