import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { NamedTensorMap, Tensor1D } from "@tensorflow/tfjs";
import { RecordingRefusedError, useBackend } from "../../../src/backends/mod.ts";
import type { CudaBackend } from "../../../src/backends/cuda/backend.ts";
import { sgdUpdate } from "../../../src/ops/sgd_update.ts";
import { BACKENDS } from "../../support/backends.ts";
import { liveTensors } from "../../support/leaks.ts";
import { SGD_OPTIONS } from "../../support/random_ops.ts";
import { inOrder } from "./against_reference.ts";

const emulated = BACKENDS.find(({ name }) => name === "emulated")!;

const inputOf = (...values: number[]) => ({
  x: { values: Float32Array.from(values), shape: [values.length], dtype: "float32" as const },
});

function testRecording(name: string, run: (cuda: CudaBackend) => void | Promise<void>): void {
  Deno.test({
    name,
    ignore: !emulated.available,
    async fn() {
      await using backend = await useBackend("emulated");
      const before = liveTensors(), { blocks } = backend.cuda!.statistics().memory;
      await run(backend.cuda!);
      assertEquals(liveTensors(), before);
      assertEquals(backend.cuda!.statistics().memory.blocks, blocks);
    },
  });
}

testRecording(
  "record() replays work on new inputs, and results outlive the next replay",
  (cuda) => {
    using weight = { tensor: tf.tensor1d([1, 2]), [Symbol.dispose]: () => weight.tensor.dispose() };
    weight.tensor.square().dispose(); // compiled before, as a warm-up does
    using step = cuda.record(inputOf(0, 0), ({ x }: NamedTensorMap) => ({
      y: x.mul(weight.tensor).add<Tensor1D>(1),
    }));
    const first = step.replay(inputOf(1, 1)), second = step.replay(inputOf(10, 20));
    assertEquals([...first.y.dataSync()], [2, 3]);
    assertEquals([...second.y.dataSync()], [11, 41]);
    tf.dispose([first, second]);
  },
);

for (const order of ["forward", "reverse"]) {
  testRecording(
    `Replays that nobody waits for each see their own input, in ${order} order`,
    (cuda) =>
      inOrder(order, async () => {
        using step = cuda.record(inputOf(0, 0), ({ x }: NamedTensorMap) => ({ y: x.mul(2) }));
        const input = inputOf(0, 0);
        const replays = [1, 2, 3, 4, 5].map((value) => {
          input.x.values.fill(value);
          const { y } = step.replay(input);
          return y;
        });
        const found = await Promise.all(replays.map((y) => y.data()));
        assertEquals(found.map((values) => [...values]), [2, 4, 6, 8, 10].map((y) => [y, y]));
        tf.dispose(replays);
      }),
  );
}

testRecording("record() refuses work that reads from the device, and leaves it usable", (cuda) => {
  const reading = () =>
    cuda.record(inputOf(1, 2), ({ x }: NamedTensorMap) => {
      x.mul(2).dataSync();
      return { y: x.add(0) };
    });
  const error: RecordingRefusedError = assertThrows(reading, RecordingRefusedError);
  assertStringIncludes(error.message, "reads a tensor back");
  tf.tidy(() => assertEquals([...tf.tensor1d([1, 2]).mul(tf.scalar(2)).dataSync()], [2, 4]));
});

testRecording("record() refuses an op that runs on the host, and names it", (cuda) => {
  const sorting = () =>
    cuda.record(inputOf(2, 1), ({ x }: NamedTensorMap) => ({ y: tf.topk(x, 1).values }));
  const error: RecordingRefusedError = assertThrows(sorting, RecordingRefusedError);
  assertStringIncludes(error.message, "TopK");
});

testRecording("A weight that a replay updates counts as changed", (cuda) => {
  const [weight, velocity] = [tf.tensor1d([1, 2]), tf.tensor1d([0, 0])];
  const update = { parameter: weight, velocity, learningRate: 0.5 };
  {
    using step = cuda.record(inputOf(0, 0), ({ x }: NamedTensorMap) => ({
      report: sgdUpdate([{ ...update, gradient: x }], { ...SGD_OPTIONS, loss: tf.scalar(1) }),
    }));
    const version = cuda.version(weight);
    const { report } = step.replay(inputOf(1, 1));
    assert(cuda.version(weight) > version);
    report.dispose();
  }
  tf.dispose([weight, velocity]);
});

Deno.test({
  name: "record() is refused where each launch is waited for, with that reason",
  ignore: !emulated.available,
  async fn() {
    await using backend = await useBackend("emulated", { deviceDebug: true });
    assertThrows(
      () => backend.cuda!.record(inputOf(1), ({ x }: NamedTensorMap) => ({ y: x.add(1) })),
      RecordingRefusedError,
      "deviceDebug",
    );
  },
});

testRecording("A recorded step is not valid any more when a weight is overwritten", (cuda) => {
  const weight = tf.tensor1d([1, 2]);
  {
    using step = cuda.record(inputOf(0, 0), ({ x }: NamedTensorMap) => ({ y: x.add(weight) }));
    assert(step.valid);
    cuda.overwrite(weight, [3, 4]);
    assert(!step.valid);
  }
  weight.dispose();
});
