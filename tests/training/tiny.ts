/** A training small enough for a test: a narrow network on small images. */
import { type Experiment, type ExperimentConfig, parseExperiment } from "../../src/config/mod.ts";
import type { Batch } from "../../src/data/batches.ts";
import { type BackendHandle, useBackend } from "../../src/backends/mod.ts";
import { buildModel, type SiamBAN } from "../../src/models/mod.ts";
import { Rng } from "../../src/random.ts";
import { Trainer, type TrainerOptions, type TrainingEvent } from "../../src/training/trainer.ts";
import type { StepReport } from "../../src/training/report.ts";

/** The fastest backend; one thread, because a tiny network has no work for two. */
export function useTiny(): Promise<BackendHandle> {
  return useBackend("auto", { threads: 1 });
}

/** Registers a test that runs on {@linkcode useTiny}'s backend. */
export function testTiny(
  name: string,
  run: (backend: BackendHandle) => void | Promise<void>,
): void {
  Deno.test(name, async () => {
    await using backend = await useTiny();
    await run(backend);
  });
}

type Sections = Omit<Experiment, "backbone"> & {
  readonly backbone?: Pick<Experiment["backbone"] & object, "trainEpoch" | "layersLr">;
};

/** An experiment that takes milliseconds a step; its backbone trains from epoch 0 on. */
export function tinyExperiment({ backbone, training, ...sections }: Sections = {}) {
  const size = { exemplarSize: 111, searchSize: 175, baseSize: 0 };
  return parseExperiment({
    name: "tiny",
    backbone: {
      type: "alexnetlegacy",
      kwargs: { widthMult: 0.05 },
      trainLayers: ["features"],
      trainEpoch: 0,
      ...backbone,
    },
    neck: { enabled: false },
    head: { type: "DepthwiseBAN", kwargs: { outChannels: 8 } },
    tracking: size,
    ...sections,
    training: {
      ...size,
      scoreSize: 9, // (175 - 111) / 8 + 1
      batchSize: 2,
      epochs: 3,
      numWorkers: 0,
      seed: 5,
      lr: { type: "log", kwargs: { startLr: 0.01, endLr: 0.001 } },
      lrWarmup: { warmup: false },
      baseLr: 0.01,
      ...training,
    },
  });
}

/** A model with starting weights that depend on nothing but the configuration. */
export function tinyModel(config: ExperimentConfig): SiamBAN {
  return buildModel(config, new Rng(1));
}

/** Noise with plausible labels; a function of seed, epoch and step. */
export function noiseBatch(
  { training }: ExperimentConfig,
  { epoch, step }: { readonly epoch: number; readonly step: number },
): Batch {
  const { batchSize: size, exemplarSize, searchSize, scoreSize, seed } = training;
  const rng = new Rng(seed, epoch, step);
  const noise = (count: number, largest: number) =>
    Float32Array.from({ length: count }, () => largest * rng.uniform());
  const points = size * scoreSize ** 2;
  const pair = (place: number) => ({
    template: { path: `e${epoch}.s${step}.${place}.z.jpg` },
    search: { path: `e${epoch}.s${step}.${place}.x.jpg` },
  });
  return {
    epoch,
    step,
    size,
    template: noise(size * exemplarSize ** 2 * 3, 255),
    search: noise(size * searchSize ** 2 * 3, 255),
    labelCls: Int32Array.from({ length: points }, () => rng.integer(3) - 1),
    labelLoc: noise(points * 4, 60),
    box: noise(size * 4, searchSize),
    provenance: Array.from(
      { length: size },
      (_, place) => pair(place),
    ) as unknown as Batch["provenance"],
    waitSeconds: 0,
    notices: [],
    work: { read: 0, decode: 0, augment: 0, label: 0 },
  };
}

/** Batches from a position on; `change` may spoil them. */
export async function* noiseBatches(
  config: ExperimentConfig,
  { stepsPerEpoch, start = { epoch: 0, step: 0 }, change = (batch) => batch }: {
    readonly stepsPerEpoch: number;
    readonly start?: { readonly epoch: number; readonly step: number };
    readonly change?: (batch: Batch) => Batch;
  },
): AsyncGenerator<Batch> {
  const first = start.epoch * stepsPerEpoch + start.step;
  for (let i = first; i < config.training.epochs * stepsPerEpoch; i++) {
    const position = { epoch: Math.floor(i / stepsPerEpoch), step: i % stepsPerEpoch };
    await Promise.resolve();
    yield change(noiseBatch(config, position));
  }
}

/** Trains to the end on noise; gives every event. */
export async function trainOnNoise(
  model: SiamBAN,
  options: TrainerOptions,
  change?: (batch: Batch) => Batch,
): Promise<TrainingEvent[]> {
  using trainer = new Trainer(model, options);
  const { stepsPerEpoch, config } = options;
  const batches = noiseBatches(config, { stepsPerEpoch, start: trainer.position, change });
  return await Array.fromAsync(trainer.run(batches));
}

/** The reports among events. */
export function reportsOf(events: readonly TrainingEvent[]): StepReport[] {
  return events.flatMap((event) => event.kind === "step" ? [event.report] : []);
}
