/** A training with its data: what is left of the card's speed when pictures must be decoded. */
import {
  buildModel,
  type Experiment,
  loadBatches,
  loadExperiment,
  openDataset,
  prepareMissing,
  Rng,
  Trainer,
  useBackend,
} from "../../mod.ts";
import { experimentOf } from "./model.ts";
import { median, type Scale, type Section } from "./section.ts";

/** Steps before the speed counts: caches fill, a step is recorded, loaders start. */
const WARM_UP = 10;

/**
 * Trains some steps of an experiment; without one, the network that is checked, on drawn videos.
 *
 * @param options.file Its configuration; its sets are prepared if that is missing.
 */
export async function checkLoading(
  scale: Scale,
  { file }: { readonly file: string | undefined },
): Promise<Omit<Section, "name">> {
  if (file) return await trainLoading(scale, file);
  const folder = await Deno.makeTempDir();
  try {
    const drawn = `${folder}/drawn.json`;
    await Deno.writeTextFile(drawn, JSON.stringify(drawnExperiment(scale, folder)));
    return await trainLoading(scale, drawn);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The network that is checked, on videos that the program draws, with a loader on every core but two. */
function drawnExperiment(scale: Scale, folder: string): Experiment {
  const { training, ...network } = experimentOf(scale);
  const workers = Math.max(1, navigator.hardwareConcurrency - 2);
  const [videos, frames] = scale.reduced ? [2, 4] : [40, 40];
  const demo = {
    root: `${folder}/crop511`,
    anno: `${folder}/train.json`,
    frameRange: 20,
    source: { format: "synthetic" as const, videos, frames },
  };
  return {
    ...network,
    training: { ...training, precision: "bf16", graph: true, numWorkers: workers },
    dataset: { names: ["DEMO"], sets: { DEMO: demo } },
  };
}

async function trainLoading(scale: Scale, file: string): Promise<Omit<Section, "name">> {
  const steps = scale.steps + WARM_UP;
  const { config } = await loadExperiment(file, {
    overrides: [
      `training.batchSize=${scale.batch}`,
      `training.stepsPerEpoch=${steps}`,
      "training.startEpoch=0",
      "training.epochs=1",
      "training.lrWarmup.warmup=false",
      "backbone.trainEpoch=0",
    ],
  });
  for await (const _report of prepareMissing(config));
  await using _ = await useBackend(scale.device, config.training);
  using model = buildModel(config, new Rng(1));
  using trainer = new Trainer(model, { config, stepsPerEpoch: steps });
  const { seed, batchSize, numWorkers: workers } = config.training;
  const batches = loadBatches(openDataset(config), {
    seed,
    batchSize,
    workers,
    epochs: 1,
    stepsPerEpoch: steps,
  });
  const rates: number[] = [];
  let waited = 0, start = 0, done = 0;
  for await (const event of trainer.run(batches)) {
    if (event.kind !== "step") continue;
    const { report } = event;
    if (report.step === WARM_UP - 1) start = performance.now();
    if (report.step < WARM_UP) continue;
    done++;
    waited += report.dataTime;
    rates.push(report.pairsPerSecond ?? 0);
  }
  const seconds = (performance.now() - start) / 1000;
  const rate = done * batchSize / seconds;
  return {
    status: "ok",
    detail: `${done} steps of ${batchSize} pairs, ${workers} workers, ${config.training.precision}`,
    figures: [
      {
        name: "sustained, loading included",
        value: rate,
        unit: "pairs/s",
        goal: { text: "1000 pairs/s on an H200", met: rate >= 1000 },
      },
      { name: "median of the steps", value: median(rates), unit: "pairs/s" },
      { name: "waiting for data", value: 100 * waited / seconds, unit: "% of the time" },
    ],
    facts: { refused: trainer.recordingRefused },
  };
}
