/** Deliberate faults: what is wrong on a card must be seen without one. */
import { assert, assertRejects, assertStringIncludes } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { parseExperiment } from "../../../src/config/mod.ts";
import { useBackend } from "../../../src/backends/mod.ts";
import { CudaBackend } from "../../../src/backends/cuda/backend.ts";
import { CudaCompileError, CudaProgram } from "../../../src/backends/cuda/program.ts";
import { emulatedLibrary } from "../../../src/backends/cuda/emulated.ts";
import { librariesFrom } from "../../../src/backends/cuda/libraries.ts";
import { BACKENDS } from "../../support/backends.ts";

const emulated = BACKENDS.find(({ name }) => name === "emulated")!;
const HERE = new URL(import.meta.url).pathname;

/** A kernel that doubles; `step` is the distance of elements in `y`. */
const doubling = (step: number) =>
  new CudaProgram(
    "doubling",
    `extern "C" __global__ void doubling(const float *x, float *y, int size) {
      const int i = blockIdx.x * blockDim.x + threadIdx.x;
      if (i < size) y[${step} * i] = 2.f * x[i];
    }`,
  );

/** The faults; each runs in a process of its own, because a fault ends the use of a device. */
const FAULTS: Readonly<Record<string, (cuda: CudaBackend) => void>> = {
  stride: (cuda) => {
    const x = cuda.empty([2048]), y = cuda.empty([2048]);
    cuda.launch(doubling(3), { function: "doubling", threads: 2048, args: [x, y, 2048] });
    cuda.readSync(y.dataId);
  },
  "freed memory": (cuda) => {
    const x = cuda.empty([2048]), y = cuda.empty([2048]);
    const block = cuda.scratch(8192);
    cuda.release(block);
    cuda.trim();
    cuda.launch(doubling(1), { function: "doubling", threads: 2048, args: [block, y, 2048] });
    cuda.readSync(y.dataId);
    cuda.readSync(x.dataId);
  },
  "freed twice": (cuda) => {
    const block = cuda.scratch(8192);
    cuda.release(block);
    cuda.release(block);
  },
  "no memory": (cuda) => {
    const maps = Array.from({ length: 100 }, () => cuda.empty([28, 63, 63, 16]));
    throw new Error(`${maps.length} maps fit`);
  },
  "unlike shapes": (cuda) => {
    const x = cuda.empty([1, 8, 8, 4]), y = cuda.empty([1, 8, 8, 6]);
    cuda.convolutions.run({
      pass: "forward",
      x: x.shape,
      weight: [6, 3, 3, 5],
      y: y.shape,
      geometry: { stride: 1, padding: 1, dilation: 1, groups: 1 },
      format: "float32",
    }, { first: cuda.address(x), second: cuda.address(x), output: cuda.address(y) });
    throw new Error("cuDNN took shapes that do not agree");
  },
};

if (import.meta.main) {
  const [fault] = Deno.args;
  const cuda = new CudaBackend(librariesFrom(await emulatedLibrary()), {
    measure: false,
    deviceDebug: true,
  });
  tf.registerBackend("fault", () => cuda);
  await tf.setBackend("fault");
  try {
    FAULTS[fault](cuda);
    console.log("no fault");
  } catch (error) {
    console.log((error as Error).message);
  }
  Deno.exit(0);
}

const MESSAGES: Readonly<Record<string, readonly string[]>> = {
  stride: ["doubling.cu doubling with float32 [2048]", "kernel doubling", "grid 8 x 1 x 1"],
  "freed memory": ["doubling.cu doubling", "8192 bytes", "kernel doubling"],
  "freed twice": ["Cannot free device memory", "free each block once"],
  "no memory": [
    "Cannot allocate 6.8 MiB",
    "this program holds",
    "try training.batchSize 21 instead of 28",
  ],
  "unlike shapes": ["cudnnGetConvolutionForwardAlgorithm_v7", "BAD_PARAM"],
};

if (!import.meta.main) {
  for (const [fault, words] of Object.entries(MESSAGES)) {
    Deno.test({
      name: `A fault is found on the emulated device, and told with its place, ${fault}`,
      ignore: !emulated.available,
      async fn() {
        const { stdout } = await new Deno.Command(Deno.execPath(), {
          args: ["run", "-A", "--no-check", HERE, fault],
          env: { SIAMBAN_EMULATED_MEMORY: `${64 << 20}` },
        }).output();
        const text = new TextDecoder().decode(stdout);
        for (const word of words) assertStringIncludes(text, word);
      },
    });
  }

  Deno.test({
    name: "CudaProgram tells why it does not compile, with numbered lines",
    ignore: !emulated.available,
    async fn() {
      await using backend = await useBackend("emulated");
      const wrong = new CudaProgram(
        "wrong",
        'extern "C" __global__ void wrong() {\n  nothing();\n}',
      );
      const launch = () => backend.cuda!.launch(wrong, { function: "wrong", args: [] });
      const error: CudaCompileError = await assertRejects(
        () => Promise.resolve().then(launch),
        CudaCompileError,
      );
      assertStringIncludes(error.message, "nothing");
      assertStringIncludes(error.message, "   2 |   nothing();");
    },
  });

  Deno.test({
    name: "useBackend() takes a whole training section, and computes as it says",
    ignore: !emulated.available,
    async fn() {
      const { training } = parseExperiment({ training: { precision: "bf16", deviceDebug: true } });
      await using backend = await useBackend("emulated", training);
      assert(backend.cuda!.activationFormat === "bfloat16");
      tf.tidy(() => {
        const x = tf.ones<tf.Rank.R4>([1, 2, 2, 8]) as Tensor4D;
        assert(x.add(1).dataSync().every((value) => value === 2));
      });
    },
  });
}
