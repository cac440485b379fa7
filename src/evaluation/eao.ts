/**
 * Expected average overlap: the mean overlap a tracker can expect on a sequence of a given length,
 * averaged over the usual lengths (Kristan et al., VOT2015 challenge results, section 3.2).
 *
 * @module
 */
import { failureFrames, startFrames } from "./ar.ts";
import type { Trajectory } from "./trajectory.ts";

/** Frames that the protocol leaves out between a failure and the next start. */
export const SKIPPED_AFTER_FAILURE = 5;

/** A part of a run that began with a start. */
export interface Segment {
  /** Overlap a frame. */
  readonly overlaps: Float64Array;
  /** Whether it ended in a failure: then it goes on for ever, with an overlap of 0. */
  readonly failed: boolean;
  /** First frame in the run and the one after the last. */
  readonly from: number;
  readonly to: number;
  /** Frames that the weight of the segment is divided by. */
  readonly divisor: number;
}

/**
 * Cuts a run at its failures as pysot does (`EAOBenchmark`).
 *
 * Parity: a segment that failed takes the skipped frames with it, as zeros, and the first frame of
 * the next one; a failure in the last five frames does not end a segment, which then counts as not
 * failed.
 *
 * @param overlaps Overlap a frame; NaN where there is none.
 * @param length Frames of the sequence.
 */
export function cutAtRestarts(
  overlaps: Float64Array,
  run: Trajectory,
  length: number = overlaps.length,
): Segment[] {
  const failures = failureFrames(run);
  const points = [
    0,
    ...failures.map((frame) => frame + SKIPPED_AFTER_FAILURE).filter((at) => at <= overlaps.length),
  ];
  return points.map((from, i) => {
    const failed = i < points.length - 1;
    const to = failed ? Math.min(points[i + 1] + 1, overlaps.length) : overlaps.length;
    const part = overlaps.slice(from, to);
    if (failures.length > 0) zeroMissing(part);
    const divisor = failed
      ? points[i + 1] - from + 1
      : failures.length > 0
      ? length - from + 1e-16
      : overlaps.length;
    return { overlaps: part, failed, from, to, divisor };
  });
}

/**
 * Cuts a run at its failures as the VOT toolkit does (`EAOCurve`): from a start to the frame before
 * the failure, without the skipped frames.
 */
export function cutAtFailures(overlaps: Float64Array, run: Trajectory): Segment[] {
  const failures = failureFrames(run), starts = startFrames(run);
  const ends = [...failures, ...(starts.length > failures.length ? [overlaps.length] : [])];
  return ends.map((to, i) => {
    const from = starts[i] ?? 0;
    const part = zeroMissing(overlaps.slice(from, to));
    return { overlaps: part, failed: i < failures.length, from, to, divisor: to - from };
  });
}

function zeroMissing(overlaps: Float64Array): Float64Array {
  for (let i = 0; i < overlaps.length; i++) if (Number.isNaN(overlaps[i])) overlaps[i] = 0;
  return overlaps;
}

/** A segment with what it counts among the others. */
export interface WeightedSegment extends Pick<Segment, "overlaps" | "failed"> {
  readonly weight: number;
}

/**
 * Expected overlap by length of sequence: the weighted mean, over the segments that last so long or
 * have failed, of their mean overlap from the second frame on.
 *
 * Parity: entries are rounded to 32-bit floats, the first is 1, and a length that no segment
 * reaches has 0 (`calculate_expected_overlap` of pysot's toolkit).
 *
 * @returns As long as the longest segment or `length`, whichever is more.
 */
export function expectedOverlapCurve(
  segments: readonly WeightedSegment[],
  length = 0,
): Float32Array {
  const weights = segments.map(({ weight }) => weight);
  return expectedOverlapCurves(segments, [weights], length)[0];
}

/**
 * {@linkcode expectedOverlapCurve} for several weightings of the same segments.
 *
 * @param weightings A weight a segment, for each curve.
 */
export function expectedOverlapCurves(
  segments: readonly Pick<Segment, "overlaps" | "failed">[],
  weightings: readonly (readonly number[])[],
  length = 0,
): Float32Array[] {
  const longest = segments.reduce((max, { overlaps }) => Math.max(max, overlaps.length), length);
  const sums = weightings.map(() => new Float64Array(longest));
  const totals = weightings.map(() => new Float64Array(longest));
  const isReached = new Uint8Array(longest), means = new Float64Array(longest);
  segments.forEach((segment, s) => {
    const end = setRunningMeans(means, segment), missing = missingFrames(segment.overlaps);
    for (let i = 1; i < end; i++) if (!missing?.[i]) isReached[i] = 1;
    for (let k = 0; k < weightings.length; k++) {
      const weight = weightings[k][s], sum = sums[k], total = totals[k];
      if (weight === 0) continue;
      for (let i = 1; i < end; i++) {
        if (missing?.[i]) continue;
        sum[i] += means[i] * weight;
        total[i] += weight;
      }
    }
  });
  return weightings.map((_, k) => {
    const curve = new Float32Array(longest);
    for (let i = 0; i < longest; i++) if (isReached[i]) curve[i] = sums[k][i] / totals[k][i];
    if (longest > 0) curve[0] = 1;
    return curve;
  });
}

/** Frames without overlap, if any: they take no part, but leave the mean unknown from there on. */
function missingFrames(overlaps: Float64Array): boolean[] | undefined {
  for (let i = 1; i < overlaps.length; i++) {
    if (Number.isNaN(overlaps[i])) return Array.from(overlaps, Number.isNaN);
  }
  return undefined;
}

/**
 * Sets the mean overlap from the second frame on, by length; a segment that failed goes on with zeros.
 *
 * @returns How many lengths have one.
 */
function setRunningMeans(
  means: Float64Array,
  { overlaps, failed }: Pick<Segment, "overlaps" | "failed">,
): number {
  const end = failed ? means.length : overlaps.length;
  for (let i = 1, sum = 0; i < end; i++) {
    if (i < overlaps.length) sum += overlaps[i];
    means[i] = sum / i;
  }
  return end;
}

/** The lengths that a year's expected average overlap is taken over, the shortest being 1. */
export interface EaoRange {
  readonly low: number;
  readonly high: number;
}

/**
 * Mean of a curve over a range of lengths, both included; lengths without a value do not count.
 *
 * @param firstLength Length that the curve's first entry stands for: 1 in pysot; 0 in the VOT
 * toolkit, which reads the range as indices.
 */
export function expectedAverageOverlap(
  curve: Float32Array,
  { low, high }: EaoRange,
  firstLength: 0 | 1 = 1,
): number {
  const range = curve.slice(low - firstLength, high - firstLength + 1)
    .filter((overlap) => !Number.isNaN(overlap));
  return range.reduce((sum, overlap) => sum + overlap, 0) / range.length;
}
