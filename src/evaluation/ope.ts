/**
 * One-pass evaluation: a tracker starts once and its boxes are compared with the truth, by overlap
 * (success), by distance of centres (precision) and by that distance in units of the target's size
 * (normalised precision). After Wu et al., PAMI 2015, and Müller et al., ECCV 2018 (TrackingNet).
 *
 * @module
 */
import type { Ltwh, Size } from "../geometry/boxes.ts";
import { boundedIou } from "./got10k.ts";
import type { OpeRules, TruthTest, Verdict } from "./ope_rules.ts";
import { pictureBounds } from "./region.ts";
import { votOverlap } from "./vot_overlap.ts";

/** What one-pass rules need to know about a sequence. */
export interface OpeTruth {
  /** A box a frame; null where the target is not there. */
  readonly boxes: readonly (Ltwh | null)[];
  /** Whether the target can be seen, a frame (LaSOT). */
  readonly visible?: readonly boolean[];
  /** Visible share in eighths, a frame (GOT-10k). */
  readonly cover?: readonly number[];
  /** Of the pictures. */
  readonly size?: Size;
}

/**
 * Judged frames. An overlap of −1 misses at every threshold, a distance of −1 hits and one of
 * Infinity misses at every threshold; NaN: the frame is left out.
 */
export interface JudgedFrames {
  readonly overlap: Float64Array;
  readonly centre: Float64Array;
  readonly normalised: Float64Array;
  /** How many frames the curves are divided by. */
  readonly denominator: "all frames" | "counted frames";
}

/**
 * Compares predicted with true boxes, frame by frame, under given rules.
 *
 * @throws {RangeError} If the numbers of frames differ, or the rules need the size of the pictures.
 */
export function judgeFrames(
  predicted: readonly Ltwh[],
  truth: OpeTruth,
  rules: OpeRules,
): JudgedFrames {
  const n = truth.boxes.length;
  if (predicted.length !== n) {
    throw new RangeError(`Cannot compare boxes: ${predicted.length} predicted, expected ${n}`);
  }
  const boxes = rules.repeatEmptyBoxes ? repeatEmptyBoxes(predicted, truth.boxes) : predicted;
  const judged = {
    overlap: new Float64Array(n),
    centre: new Float64Array(n),
    normalised: new Float64Array(n),
    denominator: rules.denominator,
  };
  const seen = visibility(truth, rules);
  for (let i = 0; i < n; i++) {
    const target = truth.boxes[i], start = i < rules.start.frames ? rules.start.are : "counted";
    const box = start === "the truth" ? target ?? boxes[i] : boxes[i];
    const values = start === "left out"
      ? LEFT_OUT
      : judge(box, target, { rules, size: truth.size, seen: seen[i] });
    judged.overlap[i] = values[0];
    judged.centre[i] = values[1];
    judged.normalised[i] = values[2];
  }
  return judged;
}

type Values = readonly [overlap: number, centre: number, normalised: number];

const LEFT_OUT: Values = [NaN, NaN, NaN];

function visibility({ boxes, visible, cover }: OpeTruth, rules: OpeRules): readonly boolean[] {
  const marks = rules.visibility === "cover" ? cover?.map((share) => share > 0) : visible;
  return marks && rules.invisible !== "ignored" ? marks : boxes.map(() => true);
}

function judge(
  box: Ltwh,
  target: Ltwh | null,
  { rules, size, seen }: { rules: OpeRules; size?: Size; seen: boolean },
): Values {
  if (!seen) return rules.invisible === "miss" ? [-1, Infinity, Infinity] : LEFT_OUT;
  const hasOverlap = target !== null && passes(target, rules.overlapTruth);
  const hasCentre = target !== null && passes(target, rules.centreTruth);
  const { withoutTruth } = rules;
  return [
    hasOverlap ? overlapOf(box, target, rules, size) : withoutOverlap[withoutTruth.overlap],
    hasCentre ? centreError(box, target) : withoutDistance[withoutTruth.centre],
    hasCentre
      ? normalisedCentreError(box, target, rules.normaliser)
      : withoutDistance[withoutTruth.normalised],
  ];
}

const withoutOverlap: Readonly<Record<Verdict, number>> = {
  miss: -1,
  hit: Infinity,
  "left out": NaN,
};
const withoutDistance: Readonly<Record<Verdict, number>> = {
  miss: Infinity,
  hit: -1,
  "left out": NaN,
};

function passes({ x, y, w, h }: Ltwh, test: TruthTest): boolean {
  switch (test) {
    case "positive size":
      return w > 0 && h > 0;
    case "positive centre":
      return x + (w - 1) / 2 > 0 && y + (h - 1) / 2 > 0;
    case "all positive":
      return x > 0 && y > 0 && w > 0 && h > 0;
    case "not NaN":
      return true;
  }
}

function overlapOf(box: Ltwh, target: Ltwh, rules: OpeRules, size?: Size): number {
  if (rules.boundedOverlap && !size) {
    throw new RangeError("Cannot bound the overlap: the size of the pictures is not known");
  }
  const bound = rules.boundedOverlap ? size : undefined;
  switch (rules.overlap) {
    case "area":
      return areaOverlap(box, target);
    case "pytracking area":
      return pixelAreaOverlap(box, target);
    case "got10k area":
      return boundedIou(box, target, bound);
    case "painted":
      return votOverlap(box, target, bound && pictureBounds(bound));
  }
}

/** Intersection over union of two boxes, in [0, 1]; NaN for two boxes without area. */
export function areaOverlap(a: Ltwh, b: Ltwh): number {
  const w = Math.max(0, Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x));
  const h = Math.max(0, Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y));
  return Math.max(0, Math.min(1, w * h / (a.w * a.h + b.w * b.h - w * h)));
}

/** {@linkcode areaOverlap} by way of the outermost pixels, as pytracking computes it. */
function pixelAreaOverlap(a: Ltwh, b: Ltwh): number {
  const w = Math.min(a.x + a.w - 1, b.x + b.w - 1) - Math.max(a.x, b.x) + 1;
  const h = Math.min(a.y + a.h - 1, b.y + b.h - 1) - Math.max(a.y, b.y) + 1;
  const shared = Math.max(0, w) * Math.max(0, h);
  return shared / (a.w * a.h + b.w * b.h - shared);
}

/**
 * Distance of the centres of two boxes, in pixels. A centre is that between the outermost pixels,
 * (w − 1) / 2 from the corner, in all toolkits.
 */
export function centreError(a: Ltwh, b: Ltwh): number {
  return length(
    a.x + (a.w - 1) / 2 - (b.x + (b.w - 1) / 2),
    a.y + (a.h - 1) / 2 - (b.y + (b.h - 1) / 2),
  );
}

/** {@linkcode centreError} with each axis in units of the size of `b`. */
export function normalisedCentreError(
  a: Ltwh,
  b: Ltwh,
  normaliser: OpeRules["normaliser"] = "size",
): number {
  const dx = a.x + (a.w - 1) / 2, dy = a.y + (a.h - 1) / 2;
  const x = b.x + (b.w - 1) / 2, y = b.y + (b.h - 1) / 2;
  if (normaliser === "size, at least 1") {
    return length((dx - x) / Math.max(1, b.w), (dy - y) / Math.max(1, b.h));
  }
  // Divided before subtracted, as the toolkits do: a distance on a threshold must fall alike.
  const w = b.w + 1e-16, h = b.h + 1e-16;
  return length(dx / w - x / w, dy / h - y / h);
}

function length(x: number, y: number): number {
  return Math.sqrt(x * x + y * y);
}

/** A box without size becomes the one before it, where there is truth (pytracking). */
function repeatEmptyBoxes(boxes: readonly Ltwh[], truth: readonly (Ltwh | null)[]): Ltwh[] {
  const filled = [...boxes];
  for (let i = 1; i < filled.length; i++) {
    if ((filled[i].w === 0 || filled[i].h === 0) && truth[i] !== null) filled[i] = filled[i - 1];
  }
  return filled;
}

/** Share of frames whose overlap exceeds each threshold. */
export function successCurve(
  { overlap, denominator }: JudgedFrames,
  { successThresholds, successIf }: Pick<OpeRules, "successThresholds" | "successIf">,
): Float64Array {
  return shares(overlap, denominator, successThresholds, (values, threshold) => {
    const orEqual = successIf === ">=" || successIf === ">, at 1 >=" && threshold === 1;
    let hits = 0;
    for (const value of values) if (value > threshold || orEqual && value === threshold) hits++;
    return hits;
  });
}

/** Share of frames whose distance does not exceed each threshold. */
export function precisionCurve(
  distances: Float64Array,
  thresholds: readonly number[],
  denominator: JudgedFrames["denominator"] = "all frames",
): Float64Array {
  return shares(distances, denominator, thresholds, (values, threshold) => {
    let hits = 0;
    for (const value of values) if (value <= threshold) hits++;
    return hits;
  });
}

function shares(
  values: Float64Array,
  denominator: JudgedFrames["denominator"],
  thresholds: readonly number[],
  count: (values: Float64Array, threshold: number) => number,
): Float64Array {
  const frames = denominator === "all frames" ? values.length : countFrames(values);
  return Float64Array.from(thresholds, (threshold) => count(values, threshold) / frames);
}

/** Frames that are not left out. */
export function countFrames(values: Float64Array): number {
  return values.reduce((sum, value) => Number.isNaN(value) ? sum : sum + 1, 0);
}
