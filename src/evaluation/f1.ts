/**
 * Precision, recall and F of long-term tracking, where a tracker says how sure it is that it sees
 * the target (Lukežič et al., arXiv:1804.07056).
 *
 * @module
 */

/**
 * How thresholds are placed among the sorted confidences: `centred` (`determine_thresholds` in
 * toolkit/utils/statistics.py, the one pysot uses), `truncated` (the one in toolkit/utils/misc.py)
 * or `vot` (the VOT toolkit's, which counts from the highest).
 */
export type ThresholdSpacing = "centred" | "truncated" | "vot";

/**
 * Thresholds that cut the confidences of all frames into parts of equal size.
 *
 * @param confidences Of all frames of all sequences; NaN where there is none.
 * @param resolution Number of thresholds, at least 3, the infinite ones included.
 * @returns From −∞ upward to ∞. With fewer confidences than parts some thresholds are equal.
 */
export function confidenceThresholds(
  confidences: Iterable<number>,
  { resolution = 100, spacing = "centred" as ThresholdSpacing } = {},
): Float64Array {
  const sorted = Float64Array.from(confidences).filter((value) => !Number.isNaN(value)).sort();
  const n = sorted.length, parts = resolution - 2;
  const inner = Array.from({ length: parts }, (_, k) => {
    const at = place[spacing](k, { n, parts, delta: Math.floor(n / parts) });
    return sorted[Math.min(Math.max(at, 0), n - 1)];
  });
  if (spacing === "vot" && n <= parts) return Float64Array.of(-Infinity, ...sorted, Infinity);
  const finite = inner.filter((value) => value !== undefined);
  return Float64Array.of(-Infinity, ...finite.sort((a, b) => a - b), Infinity);
}

type Placing = { n: number; parts: number; delta: number };

const place: Readonly<Record<ThresholdSpacing, (k: number, placing: Placing) => number>> = {
  centred: (k, { n, parts, delta }) => Math.floor(spaced(k, delta - 1, n - delta, parts) + 0.5),
  truncated: (k, { n, parts, delta }) => Math.trunc(spaced(k, delta, n - delta, parts)),
  // Counted from the highest; rounded half to even as numpy does.
  vot: (k, { n, parts, delta }) => n - 1 - roundHalfToEven(spaced(k, delta, n - delta, parts)),
};

/** The k-th of `count` numbers from `first` to `last`, computed as numpy's linspace does. */
function spaced(k: number, first: number, last: number, count: number): number {
  return k === count - 1 ? last : first + k * ((last - first) / (count - 1));
}

function roundHalfToEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Values by threshold. */
export interface PrecisionRecall {
  readonly precision: Float64Array;
  readonly recall: Float64Array;
}

/** A sequence as precision and recall need it. */
export interface LongTermFrames {
  /** Overlap a frame; NaN, where the target or the answer is missing, counts as 0. */
  readonly overlaps: Float64Array;
  /** Confidence a frame; NaN counts as 0. */
  readonly confidences: Float64Array;
  /** Frames in which the target can be seen. */
  readonly visibleFrames: number;
}

/**
 * Precision (mean overlap of the frames the tracker is sure of) and recall (their sum of overlaps
 * over the frames in which the target is seen), by threshold of confidence.
 *
 * @param lowest What the threshold −∞ lets through. Parity: pysot takes confidences above 0, the
 * VOT toolkit all frames.
 */
export function precisionRecall(
  { overlaps, confidences, visibleFrames }: LongTermFrames,
  thresholds: Float64Array,
  lowest: "above 0" | "all" = "above 0",
): PrecisionRecall {
  const n = thresholds.length;
  const precision = new Float64Array(n), recall = new Float64Array(n);
  thresholds.forEach((threshold, k) => {
    let sum = 0, count = 0;
    for (let i = 0; i < overlaps.length; i++) {
      const confidence = confidences[i] || 0;
      const isSure = threshold === -Infinity && lowest === "above 0"
        ? confidence > 0
        : confidence >= threshold;
      if (!isSure) continue;
      sum += overlaps[i] || 0;
      count++;
    }
    precision[k] = count === 0 ? 1 : sum / count;
    recall[k] = count === 0 ? 0 : sum / visibleFrames;
  });
  return { precision, recall };
}

/** Harmonic mean of precision and recall, by threshold; NaN where both are 0. */
export function fScores({ precision, recall }: PrecisionRecall): Float64Array {
  return precision.map((p, k) => 2 * p * recall[k] / (p + recall[k]));
}

/** Mean of the curves of several sequences. */
export function meanPrecisionRecall(curves: readonly PrecisionRecall[]): PrecisionRecall {
  const mean = (pick: (curve: PrecisionRecall) => Float64Array) =>
    pick(curves[0]).map((_, k) => curves.reduce((sum, c) => sum + pick(c)[k], 0) / curves.length);
  return { precision: mean((c) => c.precision), recall: mean((c) => c.recall) };
}

/**
 * The threshold at which F is best.
 *
 * @returns Its index with the three figures; of equals the first, and never one without a value.
 */
export function bestF(
  curve: PrecisionRecall,
): { index: number; precision: number; recall: number; f1: number } {
  const scores = fScores(curve);
  const index = scores.reduce(
    (best, f, k) => !Number.isNaN(f) && !(f <= scores[best]) ? k : best,
    0,
  );
  return {
    index,
    precision: curve.precision[index],
    recall: curve.recall[index],
    f1: scores[index],
  };
}
