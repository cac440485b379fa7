import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { NamedTensorMap, Tensor1D } from "@tensorflow/tfjs";
import { RecordingRefusedError, useBackend } from "../../../src/backends/mod.ts";
import type { CudaBackend } from "../../../src/backends/cuda/backend.ts";
import { BACKENDS } from "../../support/backends.ts";
import { liveTensors } from "../../support/leaks.ts";

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
