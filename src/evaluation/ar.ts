/**
 * Accuracy and robustness under the restart protocol of VOT (Kristan et al., PAMI 2016): a tracker
 * that loses the target is started again five frames later.
 *
 * @module
 */
import type { Mark } from "./region.ts";
import type { Trajectory } from "./trajectory.ts";

/** Frames after a start whose overlap is not counted, because the tracker was just given the box. */
export const BURN_IN = 10;

/** Frames in which a run lost the target (mark 2), from 0. */
export function failureFrames(run: Trajectory): number[] {
  return framesMarked(run, 2);
}

/** Frames in which a run was started (mark 1), from 0. */
export function startFrames(run: Trajectory): number[] {
  return framesMarked(run, 1);
}

function framesMarked(run: Trajectory, mark: Mark): number[] {
  const frames: number[] = [];
  for (let i = 0; i < run.length; i++) if (run.markAt(i) === mark) frames.push(i);
  return frames;
}

/** Overlaps without those of the first `burnIn` frames after each start, which become NaN. */
export function withoutBurnIn(
  overlaps: Float64Array,
  run: Trajectory,
  burnIn: number = BURN_IN,
): Float64Array {
  const counted = overlaps.slice();
  for (const start of startFrames(run)) counted.fill(NaN, start, start + burnIn);
  return counted;
}

/** Mean of the numbers that are no NaN; NaN where there is none. */
export function nanMean(values: ArrayLike<number>): number {
  const { sum, count } = nanSum(values);
  return sum / count;
}

/** Sum and number of the numbers that are no NaN. */
export function nanSum(
  values: ArrayLike<number>,
): { readonly sum: number; readonly count: number } {
  let sum = 0, count = 0;
  // By index: an iterator makes an object of each of a million numbers.
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    sum += values[i];
    count++;
  }
  return { sum, count };
}

/**
 * Mean overlap of each frame over the repetitions that have one.
 *
 * @param runs The counted overlaps of each repetition, all of one length.
 */
export function meanOverRepetitions(runs: readonly Float64Array[]): Float64Array {
  if (runs.length === 1) return runs[0];
  return Float64Array.from(runs[0] ?? [], (_, i) => nanMean(runs.map((run) => run[i])));
}

/** What a sequence adds to accuracy and robustness. */
export interface RestartTotals {
  /** Counted overlap a frame, the mean over repetitions; NaN where none counts. */
  readonly overlaps: Float64Array;
  /** Mean accuracy over repetitions, each the mean over its counted frames. */
  readonly accuracy: number;
  /** Mean number of failures over repetitions. */
  readonly lost: number;
  readonly frames: number;
}

/** Accuracy, robustness and lost number of a tracker. */
export interface AccuracyRobustness {
  /** Mean overlap, 0 to 1. */
  readonly accuracy: number;
  /** Failures in 100 frames (pysot), or failures of a sequence of average length (VOT). */
  readonly robustness: number;
  /** Failures in all sequences. */
  readonly lost: number;
  readonly frames: number;
}

/**
 * Accuracy and robustness over all sequences.
 *
 * @param weighting `frames`: every counted frame weighs the same, robustness is in failures in 100
 * frames (pysot's `AccuracyRobustnessBenchmark`). `lengths`: every sequence weighs by its number of
 * frames, counted or not, robustness is the weighted mean of failures (VOT toolkit,
 * `AverageAccuracyRobustness`).
 */
export function accuracyRobustness(
  sequences: readonly RestartTotals[],
  weighting: "frames" | "lengths" = "frames",
): AccuracyRobustness {
  const frames = total(sequences, ({ frames }) => frames);
  const lost = total(sequences, ({ lost }) => lost);
  if (weighting === "frames") {
    const counted = sequences.map(({ overlaps }) => nanSum(overlaps));
    const accuracy = total(counted, ({ sum }) => sum) / total(counted, ({ count }) => count);
    return { accuracy, robustness: 100 * lost / frames, lost, frames };
  }
  const accuracy = total(sequences, ({ accuracy, frames }) => accuracy * frames) / frames;
  const robustness = total(sequences, ({ lost, frames }) => lost * frames) / frames;
  return { accuracy, robustness, lost, frames };
}

function total<T>(items: readonly T[], valueOf: (item: T) => number): number {
  return items.reduce((sum, item) => sum + valueOf(item), 0);
}
