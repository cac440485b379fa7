import type { SamplePosition } from "./ban_dataset.ts";

/** Which samples a batch holds; plain data. */
export interface BatchSchedule {
  readonly seed: number;
  /** Samples of a batch on each rank. */
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  /** This process among those that share a step. */
  readonly rank: number;
  readonly worldSize: number;
}

/** Epoch and step of a batch, batches counted from the start of the first epoch. */
export function batchPosition({ stepsPerEpoch }: BatchSchedule, batch: number) {
  return { epoch: Math.floor(batch / stepsPerEpoch), step: batch % stepsPerEpoch };
}

/**
 * The sample at a place of a batch. Ranks take turns, so that the samples of a step are those of
 * one process with the whole batch, in the order of `DistributedSampler`.
 */
export function samplePosition(
  schedule: BatchSchedule,
  { batch, place }: { batch: number; place: number },
): SamplePosition {
  const { seed, batchSize, rank, worldSize } = schedule;
  const { epoch, step } = batchPosition(schedule, batch);
  return { seed, epoch, index: (step * batchSize + place) * worldSize + rank };
}
