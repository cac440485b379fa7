/**
 * Running averages and remaining time, as a stage of the stream of step reports.
 *
 * @module
 */
import type { StepReport } from "./report.ts";

/** A running average: a value, never changed in place. */
export interface Average {
  /** How many of the last values count: 0 only the last one, a negative number all. */
  readonly window: number;
  /** The newest value, finite or not; 0 before the first. */
  readonly last: number;
  /** Mean of the window; the last value while nothing finite has come. */
  readonly mean: number;
  /** The values that count, oldest first; empty where all count. */
  readonly history: readonly number[];
  /** How many values count. */
  readonly count: number;
}

/** The quantities of a report that are averaged and printed, in the order of the printed lines. */
export type Quantity = "batch_time" | "data_time" | "cls_loss" | "loc_loss" | "total_loss";

/** How far the training has come, and how long it still takes at the average speed. */
export interface Progress {
  /** Steps done and steps in all, over every epoch. */
  readonly done: number;
  readonly total: number;
  readonly secondsPerStep: number;
  readonly remainingSeconds: number;
}

/** A step report together with the averages up to it. */
export interface MeteredStep {
  readonly report: StepReport;
  readonly averages: Readonly<Record<Quantity, Average>>;
  readonly progress: Progress;
}

/** The values of the averaged quantities in one report; times in seconds. */
export function quantitiesOf(report: StepReport): Record<Quantity, number> {
  return {
    batch_time: report.batchTime,
    data_time: report.dataTime,
    cls_loss: report.losses.cls,
    loc_loss: report.losses.loc,
    total_loss: report.losses.total,
  };
}

/**
 * An average over nothing yet (`siamban/utils/average_meter.py`).
 *
 * @param window Values to average: 100 in training, 0 only the last, negative all.
 */
export function emptyAverage(window = 100): Average {
  return { window, last: 0, mean: 0, history: [], count: 0 };
}

/**
 * The average after one more value.
 *
 * @param counts Whether the value enters the mean, or only becomes `last`.
 *
 * @example A value that is not a number does not spoil the mean
 * ```ts
 * import { addToAverage, emptyAverage } from "siamban";
 * import { assertEquals } from "@std/assert";
 *
 * const average = [1, NaN, 3].reduce((all, value) => addToAverage(all, value), emptyAverage());
 * assertEquals(average.mean, 2);
 * ```
 */
export function addToAverage(
  average: Average,
  value: number,
  { counts = true }: { counts?: boolean } = {},
): Average {
  // Parity: in the published meter one NaN stays in the running sum until the end of the training.
  if (!counts || !Number.isFinite(value)) {
    return { ...average, last: value, mean: average.count > 0 ? average.mean : value };
  }
  if (average.window < 0) {
    const count = average.count + 1;
    const mean = average.count > 0 ? average.mean + (value - average.mean) / count : value;
    return { ...average, last: value, mean, count };
  }
  // Summed anew each time, because a running sum drifts over millions of steps.
  const history = [...average.history, value].slice(-Math.max(average.window, 1));
  const mean = history.reduce((sum, entry) => sum + entry, 0) / history.length;
  return { ...average, last: value, mean, history, count: history.length };
}

/** Progress after `done` of `total` steps at an average of `secondsPerStep`. */
export function progressAt(
  { done, total, secondsPerStep }: Omit<Progress, "remainingSeconds">,
): Progress {
  return { done, total, secondsPerStep, remainingSeconds: (total - done) * secondsPerStep };
}

/**
 * A report together with the averages up to it.
 *
 * The losses of a skipped step do not enter the averages; its times do.
 *
 * @param previous The metered step before; absent for the first one.
 * @param epochs Epochs of the whole training, those before a resume included.
 * @param window Steps to average over, where there is no previous step.
 */
export function meterStep(
  report: StepReport,
  { previous, epochs, window = 100 }: {
    previous?: Pick<MeteredStep, "averages">;
    epochs: number;
    window?: number;
  },
): MeteredStep {
  const values = Object.entries(quantitiesOf(report)) as [Quantity, number][];
  const entries = values.map(([name, value]) => {
    // Parity: the published trainer averages the losses of skipped steps as well.
    const counts = report.skipped === undefined || name.endsWith("_time");
    const before = previous?.averages[name] ?? emptyAverage(window);
    return [name, addToAverage(before, value, { counts })] as const;
  });
  const averages = Object.fromEntries(entries) as Record<Quantity, Average>;
  const progress = progressAt({
    done: report.globalStep + 1,
    total: epochs * report.stepsPerEpoch,
    secondsPerStep: averages.batch_time.mean,
  });
  return { report, averages, progress };
}

/** {@link meterStep} for each report of a stream. */
export async function* meterSteps(
  reports: AsyncIterable<StepReport>,
  { epochs, window }: { epochs: number; window?: number },
): AsyncGenerator<MeteredStep> {
  let previous: MeteredStep | undefined;
  for await (const report of reports) {
    yield previous = meterStep(report, { previous, epochs, window });
  }
}
