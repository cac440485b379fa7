/**
 * Average overlap and success rates of GOT-10k (arXiv:1810.11981, section 4.2; `rect_iou` and
 * `ExperimentGOT10k.report` of its toolkit).
 *
 * @module
 */
import type { Ltwh, Size } from "../geometry/boxes.ts";

/**
 * Intersection over union, in [0, 1]; 0 for two boxes without area.
 *
 * @param bound Both boxes are brought into a picture of this size first. Parity: a corner that is
 * moved in does not shorten its side; the side is only cut where it leaves the picture.
 */
export function boundedIou(a: Ltwh, b: Ltwh, bound?: Size): number {
  const p = bound ? bringInto(a, bound) : a, q = bound ? bringInto(b, bound) : b;
  const w = Math.max(0, Math.min(p.x + p.w, q.x + q.w) - Math.max(p.x, q.x));
  const h = Math.max(0, Math.min(p.y + p.h, q.y + q.h) - Math.max(p.y, q.y));
  const shared = w * h;
  return clamp(shared / (p.w * p.h + q.w * q.h - shared + Number.EPSILON), 0, 1);
}

function bringInto({ x, y, w, h }: Ltwh, bound: Size): Ltwh {
  const left = clamp(x, 0, bound.w), top = clamp(y, 0, bound.h);
  return { x: left, y: top, w: clamp(w, 0, bound.w - left), h: clamp(h, 0, bound.h - top) };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** Mean of the overlaps of frames that count; those without truth (−1) or left out (NaN) do not. */
export function meanOverlap(overlaps: Float64Array): number {
  const counted = overlaps.filter((overlap) => overlap >= 0);
  return counted.reduce((sum, overlap) => sum + overlap, 0) / counted.length;
}

/** Share of the counted frames whose overlap exceeds a threshold, such as 0.5 or 0.75. */
export function successRate(overlaps: Float64Array, threshold: number): number {
  const counted = overlaps.filter((overlap) => overlap >= 0);
  return counted.filter((overlap) => overlap > threshold).length / counted.length;
}
