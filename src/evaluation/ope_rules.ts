/** When a true box counts as given: by its size, its centre, all four numbers, or if it is no NaN. */
export type TruthTest = "positive size" | "positive centre" | "all positive" | "not NaN";

/** What becomes of a frame that has no truth. A miss and a hit stay in the denominator. */
export type Verdict = "miss" | "hit" | "left out";

/** How a toolkit judges the frames of a sequence and averages over sequences. */
export interface OpeRules {
  /**
   * Areas of boxes, or painted pixels. That toolkits get there by other roads matters only where an
   * overlap lies on a threshold: a perfect one may come out as 1 or next to it.
   */
  readonly overlap: "area" | "got10k area" | "pytracking area" | "painted";
  /** Whether only what lies in the picture counts. */
  readonly boundedOverlap: boolean;
  readonly successThresholds: readonly number[];
  /** An overlap counts as success if it is `>` (or `>=`) the threshold; `>, at 1 >=`: so that a perfect one does at 1. */
  readonly successIf: ">" | ">=" | ">, at 1 >=";
  /** In pixels; a distance counts if it is `<=` the threshold. */
  readonly precisionThresholds: readonly number[];
  /** In units of the true box's size; a distance counts if it is `<=` the threshold. */
  readonly normalisedThresholds: readonly number[];
  /** What a distance is divided by. */
  readonly normaliser: "size" | "size, at least 1";
  /** The figure taken from the normalised curve: its value at 0.2 or its mean. */
  readonly normalisedFigure: "at 0.2" | "mean";
  /** The frames at the start: as any other, the truth in place of the answer, or left out. */
  readonly start: { readonly frames: number; readonly are: "counted" | "the truth" | "left out" };
  readonly overlapTruth: TruthTest;
  readonly centreTruth: TruthTest;
  readonly withoutTruth: {
    readonly overlap: Verdict;
    readonly centre: Verdict;
    readonly normalised: Verdict;
  };
  /** Frames the benchmark marks as invisible; `drop` loses them but keeps the denominator. */
  readonly invisible: "ignored" | "left out" | "drop" | "miss";
  /** Which marks say that: those of LaSOT, or the cover labels of GOT-10k. */
  readonly visibility: "visible" | "cover";
  /** Denominator of a sequence: all frames or those not left out. */
  readonly denominator: "all frames" | "counted frames";
  /** Whether a box without size becomes the one before it. */
  readonly repeatEmptyBoxes: boolean;
  /** Overall figures: mean over sequences, over sequences by length, or over all their frames. */
  readonly average: "sequences" | "lengths" | "frames";
}

/** `count` numbers from 0, `step` apart. */
export function steps(count: number, step: number): number[] {
  return Array.from({ length: count }, (_, i) => i * step);
}
