import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { BackendOptions } from "../../../src/backends/mod.ts";
import { useBackend } from "../../../src/backends/mod.ts";
import type { CudaBackend, CudaStatistics } from "../../../src/backends/cuda/backend.ts";
import { stateDict } from "../../../src/nn/mod.ts";
import type { Batch } from "../../../src/data/batches.ts";
import type { StepReport } from "../../../src/training/report.ts";
import { Trainer } from "../../../src/training/trainer.ts";
import type { StateDict } from "../../../src/weights/mod.ts";
import { BACKENDS } from "../../support/backends.ts";
import { assertClose } from "../../support/close.ts";
import { liveTensors } from "../../support/leaks.ts";
import { noiseBatches, reportsOf, tinyExperiment, tinyModel } from "../../training/tiny.ts";

const emulated = BACKENDS.find(({ name }) => name === "emulated")!;
const STEPS_PER_EPOCH = 4;
/** Weights below this are noise. */
const SMALLEST = 1e-6;

/** What came of a training. */
interface Run {
  readonly reports: readonly StepReport[];
  readonly weights: StateDict;
  readonly refused: string | undefined;
  readonly statistics?: CudaStatistics;
  /** Blocks in use before and after, and tensors. */
  readonly left: readonly [before: number, after: number, tensors: number];
}

/** Trains some epochs; the backbone joins in the second. */
async function train(
  name: "reference" | "emulated",
  { graph = false, epochs = 2, ...options }:
    & BackendOptions
    & { readonly graph?: boolean; readonly epochs?: number } = {},
): Promise<Run> {
  await using _ = await useBackend(name, options);
  const config = tinyExperiment({
    backbone: { trainEpoch: 1 },
    training: { epochs, graph, logGrads: true },
  });
  const cuda = tf.backend() as CudaBackend;
  const blocks = () => cuda.statistics?.().memory.blocks ?? 0;
  const before = blocks(), tensors = liveTensors().tensors;
  let run: Omit<Run, "left">;
  {
    using model = tinyModel(config);
    using trainer = new Trainer(model, { config, stepsPerEpoch: STEPS_PER_EPOCH });
    const batches = noiseBatches(config, { stepsPerEpoch: STEPS_PER_EPOCH });
    const reports = reportsOf(await Array.fromAsync(trainer.run(batches)));
    const weights = stateDict(model);
    run = {
      reports,
      weights,
      refused: trainer.recordingRefused,
      statistics: cuda.statistics?.(),
    };
  }
  return { ...run, left: [before, blocks(), liveTensors().tensors - tensors] };
}

function assertSameTraining(actual: Run, expected: Run, tolerance: number): void {
  assertEquals(actual.reports.length, expected.reports.length);
  actual.reports.forEach(({ losses, gradNorm = 0 }, i) => {
    const wanted = expected.reports[i];
    assertAlmostEquals(losses.total, wanted.losses.total, tolerance * wanted.losses.total);
    assertAlmostEquals(gradNorm, wanted.gradNorm!, 10 * tolerance * gradNorm);
  });
  for (const [name, { data }] of actual.weights) {
    const wanted = expected.weights.get(name)!.data;
    if (data instanceof Float32Array && tolerance > 0) {
      // What a batch norm takes away again has no gradient but rounding.
      const values = [...data, SMALLEST], expectedValues = [...wanted as Float32Array, SMALLEST];
      assertClose(values, expectedValues, { tolerance: 10 * tolerance, what: name });
    } else assertEquals(data, wanted, name);
  }
}

function testEmulated(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !emulated.available, fn });
}

testEmulated("A training on the emulated device has the numbers of the reference", async () => {
  const run = await train("emulated");
  assertSameTraining(run, await train("reference"), 1e-4);
  assertEquals(run.statistics!.hostKernels.size, 0, "Kernels of tfjs on the host");
  assertEquals(run.left[1], run.left[0], "Blocks of device memory");
  assertEquals(run.left[2], 0, "Tensors");
});

testEmulated("A training with recorded steps has the very numbers of one without", async () => {
  const options = { deterministic: true, epochs: 3 };
  const recorded = await train("emulated", { ...options, graph: true });
  const plain = await train("emulated", options);
  assertEquals(recorded.refused, undefined);
  assertSameTraining(recorded, plain, 0);
  // Of each stage three steps are taken launch by launch, the fourth is recorded, the rest replayed.
  assert(recorded.statistics!.launches < 1.8 * plain.statistics!.launches, "Launches of both");
  assertEquals(recorded.left[1], recorded.left[0], "Blocks of device memory");
  assertEquals(recorded.left[2], 0, "Tensors");
});

testEmulated("A training with activations in bfloat16 stays near the reference", async () => {
  const [run, expected] = [
    await train("emulated", { precision: "bf16", graph: true }),
    await train("reference"),
  ];
  run.reports.forEach(({ losses }, i) => {
    const { total } = expected.reports[i].losses;
    assertAlmostEquals(losses.total, total, 0.02 * total);
  });
  assert(run.weights.values().every(({ dtype }) => dtype === "float32" || dtype === "int64"));
});

for (const graph of [false, true]) {
  const way = graph ? "recorded" : "launch by launch";
  testEmulated(
    `Pictures of bytes give the numbers of floats at a quarter of the way, ${way}`,
    async () => {
      await using backend = await useBackend("emulated", { deterministic: true });
      const config = tinyExperiment({ training: { epochs: 1, graph } });
      const rounded = (batch: Batch): Batch => ({
        ...batch,
        template: batch.template.map(Math.round),
        search: batch.search.map(Math.round),
      });
      const bytes = (batch: Batch): Batch => ({
        ...batch,
        template: Uint8Array.from(batch.template, Math.round),
        search: Uint8Array.from(batch.search, Math.round),
      });
      const train = async (change: (batch: Batch) => Batch) => {
        const before = backend.cuda!.statistics().uploadedBytes;
        using model = tinyModel(config);
        using trainer = new Trainer(model, { config, stepsPerEpoch: 6 });
        const batches = noiseBatches(config, { stepsPerEpoch: 6, change });
        const reports = reportsOf(await Array.fromAsync(trainer.run(batches)));
        return {
          losses: reports.map(({ losses }) => losses),
          uploaded: backend.cuda!.statistics().uploadedBytes - before,
        };
      };
      const floats = await train(rounded), small = await train(bytes);
      assertEquals(small.losses, floats.losses);
      const { exemplarSize, searchSize, batchSize } = config.training;
      const pixels = 6 * batchSize * 3 * (exemplarSize ** 2 + searchSize ** 2);
      assertEquals(floats.uploaded - small.uploaded, 3 * pixels);
    },
  );
}

testEmulated(
  "A recorded step reads a loader's memory where it lies, after it is free",
  async () => {
    await using _ = await useBackend("emulated", { deterministic: true });
    const config = tinyExperiment({ training: { epochs: 1, graph: true } });
    const shared = async function* () {
      let memory: SharedArrayBuffer | undefined;
      for await (const batch of noiseBatches(config, { stepsPerEpoch: 6 })) {
        memory ??= new SharedArrayBuffer(batch.search.byteLength);
        const search = new Float32Array(memory);
        search.set(batch.search);
        yield { ...batch, search };
      }
    };
    const train = async (batches: AsyncIterable<Batch>) => {
      using model = tinyModel(config);
      using trainer = new Trainer(model, { config, stepsPerEpoch: 6 });
      return reportsOf(await Array.fromAsync(trainer.run(batches))).map(({ losses }) => losses);
    };
    const own = await train(noiseBatches(config, { stepsPerEpoch: 6 }));
    assertEquals(await train(shared()), own);
  },
);
