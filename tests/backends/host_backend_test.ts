import { assert, assertEquals, assertNotStrictEquals, assertRejects } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { BACKEND_NAMES, useBackend } from "../../src/backends/mod.ts";
import type { HostBackend } from "../../src/backends/host_backend.ts";
import { HOST_BACKENDS, testOnBackends } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";
import { assertNoLeak } from "../support/leaks.ts";

const current = () => tf.backend() as HostBackend;

testOnBackends("HostBackend.floats() shows a tensor's memory, reading copies it", () => {
  tf.tidy(() => {
    const x = tf.tensor1d([1, 2, 3]);
    const read = x.dataSync();
    current().overwrite(x, [4, 5, 6]);
    assertEquals([...read], [1, 2, 3]);
    assertEquals([...x.dataSync()], [4, 5, 6]);
    assertNotStrictEquals(x.dataSync(), current().floats(x));
  });
}, HOST_BACKENDS);

testOnBackends("HostBackend.floats() widens a tensor that tfjs cast without converting", () => {
  tf.tidy(() => {
    const cast = tf.tensor1d([1, 2, 3]).greater(1.5).cast("float32");
    assertEquals(current().floats(cast), new Float32Array([0, 1, 1]));
    assertEquals(current().ints(tf.tensor1d([0, 1], "bool")), new Int32Array([0, 1]));
  });
}, HOST_BACKENDS);

testOnBackends("HostBackend.version() counts changes in place, for all tensors of the data", () => {
  tf.tidy(() => {
    const x = tf.tensor1d([1, 2]), alias = x.reshape([2, 1]), other = tf.tensor1d([1, 2]);
    const before = current().version(x);
    current().touch(x);
    current().overwrite(alias, [3, 4]);
    assertEquals(current().version(x), before + 2);
    assertEquals(current().version(alias), before + 2);
    assertEquals(current().version(other), 0);
  });
});

testOnBackends("HostBackend.share() keeps the data until the last tensor of it goes", () => {
  assertNoLeak(() => {
    const x = tf.tensor1d([1, 2, 3, 4]);
    const info = current().share(x, [2, 2]);
    const shared = tf.engine().makeTensorFromTensorInfo(info);
    x.dispose();
    assertEquals(shared.arraySync(), [[1, 2], [3, 4]]);
    shared.dispose();
  });
});

testOnBackends("HostBackend.empty() makes tensors that tfjs's ops can use", () => {
  assertNoLeak(() => {
    const info = current().empty([2, 3]);
    current().floats(info).fill(2);
    const x = tf.engine().makeTensorFromTensorInfo(info);
    tf.tidy(() => assertClose(x.mul(2).sum(), 24));
    x.dispose();
  });
}, HOST_BACKENDS);

testOnBackends("Ops of tfjs work, and none writes a banner", () => {
  const printed: unknown[] = [];
  const { warn } = console;
  console.warn = (...values) => printed.push(values);
  try {
    tf.tidy(() => {
      const x = tf.tensor2d([[1, 2], [3, 4]]);
      assertClose(tf.softmax(x).sum(), 2);
      assertClose(tf.matMul(x, x), [7, 10, 15, 22]);
      assertClose(tf.concat([x, x], 1).slice([0, 1], [1, 2]), [2, 1]);
    });
  } finally {
    console.warn = warn;
  }
  assertEquals(printed, []);
  assert(!(tf.memory() as { unreliable?: boolean }).unreliable);
});

Deno.test("useBackend() goes back to the one before when its handle is disposed", async () => {
  await using _outer = await useBackend("reference");
  const before = tf.getBackend();
  {
    await using handle = await useBackend("auto");
    assert(BACKEND_NAMES.includes(handle.name));
    assertEquals(tf.getBackend(), handle.name);
  }
  assertEquals(tf.getBackend(), before);
});

Deno.test("useBackend() refuses an unknown name with those it knows", async () => {
  await assertRejects(
    () => useBackend("webgl" as "auto"),
    TypeError,
    'Cannot use backend "webgl": expected one of auto, cuda, onednn, reference, emulated',
  );
});
