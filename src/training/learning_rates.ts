/** The learning rates that an experiment asks for. */
import type { ExperimentConfig } from "../config/experiment_config.ts";
import { buildLrSpace, type LrSpace } from "./schedule.ts";

/** Pairs in a step of the published recipe: 28 on each of 3 GPUs. */
export const RECIPE_BATCH = 84;

/**
 * By how much the learning rates of a configuration change with the pairs of a step: `fixed`, not; `linear`, as their
 * number against {@linkcode RECIPE_BATCH} (arXiv:1706.02677); `sqrt`, as its root.
 */
export function lrFactor(
  { batchSize, lrRule }: ExperimentConfig["training"],
  ranks: number,
): number {
  const ratio = batchSize * ranks / RECIPE_BATCH;
  return { fixed: 1, linear: ratio, sqrt: Math.sqrt(ratio) }[lrRule];
}

/** The learning rate of each epoch, from warm-up and main schedule. */
export function lrSpaceOf({ training }: ExperimentConfig): LrSpace {
  const { lr, lrWarmup, epochs } = training;
  return buildLrSpace({
    epochs,
    lr: { type: lr.type, ...lr.kwargs },
    ...(lrWarmup.warmup
      ? { warmup: { type: lrWarmup.type, epoch: lrWarmup.epoch, ...lrWarmup.kwargs } }
      : {}),
  });
}
