/**
 * Boxes whose type names their convention. Unit: pixels; origin: the centre of the upper left
 * pixel; sides are differences of coordinates (no "+ 1").
 *
 * @module
 */

/** Upper left and lower right corner. */
export interface Corner {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** Centre and size. */
export interface Center {
  readonly cx: number;
  readonly cy: number;
  readonly w: number;
  readonly h: number;
}

/** Left, top, width, height. */
export interface Ltwh {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** A width and a height. */
export interface Size {
  readonly w: number;
  readonly h: number;
}

/** A box by its corners as a box by its centre. */
export function cornerToCenter({ x1, y1, x2, y2 }: Corner): Center {
  return { cx: (x1 + x2) * 0.5, cy: (y1 + y2) * 0.5, w: x2 - x1, h: y2 - y1 };
}

/** A box by its centre as a box by its corners. */
export function centerToCorner({ cx, cy, w, h }: Center): Corner {
  return { x1: cx - w * 0.5, y1: cy - h * 0.5, x2: cx + w * 0.5, y2: cy + h * 0.5 };
}

/** A box by left, top, width, height as a box by its corners. */
export function ltwhToCorner({ x, y, w, h }: Ltwh): Corner {
  return { x1: x, y1: y, x2: x + w, y2: y + h };
}

/** A box by its corners as a box by left, top, width, height. */
export function cornerToLtwh({ x1, y1, x2, y2 }: Corner): Ltwh {
  return { x: x1, y: y1, w: x2 - x1, h: y2 - y1 };
}

/** A box by left, top, width, height as a box by its centre. */
export function ltwhToCenter({ x, y, w, h }: Ltwh): Center {
  return { cx: x + w / 2, cy: y + h / 2, w, h };
}

/** A box by its centre as a box by left, top, width, height. */
export function centerToLtwh({ cx, cy, w, h }: Center): Ltwh {
  return { x: cx - w / 2, y: cy - h / 2, w, h };
}

/**
 * Intersection over union, in [0, 1]; NaN for two boxes without area.
 *
 * @example
 * ```ts
 * import { iou } from "siamban";
 * import { assertEquals } from "@std/assert";
 *
 * const a = { x1: 0, y1: 0, x2: 2, y2: 2 };
 * assertEquals(iou(a, { x1: 1, y1: 0, x2: 3, y2: 2 }), 1 / 3);
 * ```
 */
export function iou(a: Corner, b: Corner): number {
  const w = Math.max(0, Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1));
  const h = Math.max(0, Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1));
  return (w * h) / (area(a) + area(b) - w * h);
}

function area({ x1, y1, x2, y2 }: Corner): number {
  return (x2 - x1) * (y2 - y1);
}

/**
 * The axis-aligned box that VOT trackers start from: the centre is the mean of the corners, the
 * enclosing box shrinks until it has the area of the polygon, and 1 is added to each side
 * (`get_axis_aligned_bbox` in siamban/utils/bbox.py, after the VOT toolkit).
 *
 * @param region Four corners `x1, y1, … x4, y4`, or a rectangle `x, y, w, h`, which is kept as is.
 * @throws {RangeError} If there are neither 8 nor 4 numbers.
 */
export function polygonToBox(region: readonly number[]): Center {
  if (region.length === 4) return ltwhToCenter(toLtwh(region));
  const enclosing = polygonToMinMaxBox(region);
  const [x1, y1, x2, y2, x3, y3] = region;
  const polygonArea = Math.hypot(x1 - x2, y1 - y2) * Math.hypot(x2 - x3, y2 - y3);
  const scale = Math.sqrt(polygonArea / (enclosing.w * enclosing.h));
  return { ...enclosing, w: scale * enclosing.w + 1, h: scale * enclosing.h + 1 };
}

/**
 * The enclosing box of a polygon around the mean of its corners (`get_min_max_bbox` in
 * siamban/utils/bbox.py). Parity: that centre is not the middle of the enclosing box.
 *
 * @param region Four corners `x1, y1, … x4, y4`, or a rectangle `x, y, w, h`, which is kept as is.
 * @throws {RangeError} If there are neither 8 nor 4 numbers.
 */
export function polygonToMinMaxBox(region: readonly number[]): Center {
  if (region.length === 4) return ltwhToCenter(toLtwh(region));
  if (region.length !== 8) {
    throw new RangeError(`Cannot read a region of ${region.length} numbers, expected 4 or 8`);
  }
  const xs = region.filter((_, i) => i % 2 === 0);
  const ys = region.filter((_, i) => i % 2 === 1);
  return {
    cx: xs.reduce((sum, x) => sum + x, 0) / 4,
    cy: ys.reduce((sum, y) => sum + y, 0) / 4,
    w: Math.max(...xs) - Math.min(...xs),
    h: Math.max(...ys) - Math.min(...ys),
  };
}

function toLtwh([x, y, w, h]: readonly number[]): Ltwh {
  return { x, y, w, h };
}
