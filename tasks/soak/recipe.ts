import quickstart from "../../configs/quickstart.ts";
import type { Experiment } from "../../mod.ts";

/** Steps an epoch: each epoch's end is compared, so there should be many. */
export const STEPS_PER_EPOCH = 6;

/** Where a training of the soak lies. */
export interface RecipeFolders {
  /** Prepared data, which both trainings read. */
  readonly data: string;
  /** Checkpoints and logs. */
  readonly out: string;
}

/**
 * The quickstart recipe in small steps, short epochs and without an end, saved several times an epoch. Its
 * learning rate is that of the warm-up, which it stands for any time.
 */
export function soakRecipe({ data, out }: RecipeFolders, seed: number): Experiment {
  const { training, validation: _, ...rest } = quickstart;
  return {
    ...rest,
    name: "soak",
    training: {
      ...training,
      seed,
      epochs: 1_000_000,
      stepsPerEpoch: STEPS_PER_EPOCH,
      batchSize: 2,
      threads: 1,
      baseLr: 0.005,
      lr: { type: "log", kwargs: { startLr: 0.005, endLr: 0.005 } },
      lrWarmup: { warmup: false },
      device: "auto",
      checkpointEvery: 2,
      keepCheckpoints: 3,
      printFreq: 1000,
      logDir: `${out}/logs`,
      snapshotDir: `${out}/snapshot`,
    },
    dataset: {
      ...rest.dataset,
      sets: {
        DEMO: {
          ...rest.dataset.sets.DEMO,
          root: `${data}/crop511`,
          anno: `${data}/train.json`,
          source: { format: "synthetic", videos: 5, frames: 8 },
        },
      },
    },
  };
}
