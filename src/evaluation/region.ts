import type { Ltwh, Size } from "../geometry/boxes.ts";

/** A polygon, in pixels. */
export interface Polygon {
  /** `x1, y1, x2, y2, …`, at least three corners. */
  readonly points: readonly number[];
}

/** What a benchmark marks as the target, or a tracker finds: a box or a polygon, in pixels. */
export type Region = Ltwh | Polygon;

/** What stands in a result file in place of a region (VOT): 0 skipped or unknown, 1 start, 2 failure. */
export type Mark = 0 | 1 | 2;

/** A tracker's answer in a frame. */
export type Answer = Region | Mark;

/** The part of the plane that counts: pixels from `left` to `right`, from `top` to `bottom`. */
export interface Bounds {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Whether a region is a polygon. */
export function isPolygon(region: Region): region is Polygon {
  return "points" in region;
}

/**
 * Numbers as a region: 4 are left, top, width and height, a longer even number is a polygon; with a
 * NaN among them the target is not there.
 *
 * @returns Null where the target is not there, undefined where the count fits no region.
 */
export function toRegion(numbers: readonly number[]): Region | null | undefined {
  if (numbers.length < 4 || numbers.length % 2 !== 0) return undefined;
  // Millions of rows come by, most of them before this is compiled: no iterators.
  for (let i = 0; i < numbers.length; i++) if (Number.isNaN(numbers[i])) return null;
  if (numbers.length > 4) return { points: numbers };
  return { x: numbers[0], y: numbers[1], w: numbers[2], h: numbers[3] };
}

/** A region as its numbers: left, top, width and height, or the corners of a polygon. */
export function numbersOf(region: Region): readonly number[] {
  return isPolygon(region) ? region.points : [region.x, region.y, region.w, region.h];
}

/** The upright box around a region. */
export function enclosingBox(region: Region): Ltwh {
  if (!isPolygon(region)) return region;
  const xs = region.points.filter((_, i) => i % 2 === 0);
  const ys = region.points.filter((_, i) => i % 2 === 1);
  const x = Math.min(...xs), y = Math.min(...ys);
  return { x, y, w: Math.max(...xs) - x, h: Math.max(...ys) - y };
}

/** A picture as bounds, its far edges moved in by `inset` pixels. */
export function pictureBounds({ w, h }: Size, inset = 0): Bounds {
  return { left: 0, top: 0, right: w - inset, bottom: h - inset };
}
