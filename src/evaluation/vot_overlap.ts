/**
 * Overlap of regions as the VOT toolkits up to 2019 measure it: both regions are painted on a pixel
 * grid and pixels are counted (TraX's region.c, which pysot's `vot_overlap` wraps). The arithmetic
 * is that of 32-bit floats.
 *
 * @module
 */
import { Outline } from "./outline.ts";
import { type Grid, PaintedPolygon, roundAway } from "./painted_polygon.ts";
import { PaintedQuad } from "./painted_quad.ts";
import type { Bounds, Mark, Region } from "./region.ts";

const EVERYWHERE: Bounds = {
  left: -Infinity,
  top: -Infinity,
  right: Infinity,
  bottom: Infinity,
};

const { fround } = Math;

/**
 * Pixels in both regions over pixels in either.
 *
 * @param bounds What lies outside does not count; everywhere by default.
 * @returns 0 to 1; NaN where neither region paints a pixel.
 *
 * @example Both edges of a box are painted, so two boxes that share a side's half share more
 * ```ts
 * import { votOverlap } from "siamban";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const a = { x: 0, y: 0, w: 10, h: 10 };
 * assertAlmostEquals(votOverlap(a, { x: 5, y: 5, w: 10, h: 10 }), 36 / (121 + 121 - 36), 1e-7);
 * ```
 */
export function votOverlap(a: Region, b: Region, bounds: Bounds = EVERYWHERE): number {
  return new Painter().overlap(new Outline().trace(a), new Outline().trace(b), bounds);
}

/**
 * {@linkcode votOverlap} frame by frame, for as many frames as both have.
 *
 * @returns 0 to 1 a frame; NaN where one of the two is a mark or missing.
 */
export function votOverlaps(
  predicted: readonly (Region | Mark)[],
  truth: readonly (Region | null)[],
  bounds: Bounds = EVERYWHERE,
): Float64Array {
  return votOverlapsWithin(predicted, truth, [bounds])[0];
}

/**
 * {@linkcode votOverlaps} under several bounds, each within the one before. Only a frame in which a
 * region reaches beyond the narrower bounds is painted again.
 */
export function votOverlapsWithin(
  predicted: readonly (Region | Mark)[],
  truth: readonly (Region | null)[],
  bounds: readonly Bounds[],
): Float64Array[] {
  const painter = new Painter(), a = new Outline(), b = new Outline();
  const frames = Math.min(predicted.length, truth.length);
  const overlaps = bounds.map(() => new Float64Array(frames).fill(NaN));
  for (let i = 0; i < frames; i++) {
    const region = predicted[i], target = truth[i];
    if (typeof region === "number" || target === null) continue;
    a.trace(region);
    b.trace(target);
    for (let k = 0; k < bounds.length; k++) {
      overlaps[k][i] = k > 0 && isWithin(a, bounds[k]) && isWithin(b, bounds[k])
        ? overlaps[k - 1][i]
        : painter.overlap(a, b, bounds[k]);
    }
  }
  return overlaps;
}

function isWithin(a: Bounds, b: Bounds): boolean {
  return a.left >= b.left && a.top >= b.top && a.right <= b.right && a.bottom <= b.bottom;
}

function intersection(a: Bounds, b: Bounds): Bounds {
  return {
    left: Math.max(a.left, fround(b.left)),
    top: Math.max(a.top, fround(b.top)),
    right: Math.min(a.right, fround(b.right)),
    bottom: Math.min(a.bottom, fround(b.bottom)),
  };
}

function area({ left, top, right, bottom }: Bounds): number {
  return fround(fround(right - left) * fround(bottom - top));
}

/** Overlap of two boxes; it only decides whether painting is worth it. */
function boxOverlap(a: Bounds, b: Bounds): number {
  const shared = area(intersection(a, b));
  return Math.max(0, fround(shared / fround(fround(area(a) + area(b)) - shared)));
}

/** Paints pairs of regions; keeps its memory from one pair to the next. */
class Painter {
  readonly #a = new PaintedPolygon();
  readonly #b = new PaintedPolygon();
  readonly #quad = new PaintedQuad();

  overlap(a: Outline, b: Outline, bounds: Bounds): number {
    const seenA = intersection(a, bounds), seenB = intersection(b, bounds);
    const x = Math.min(seenA.left, seenB.left), y = Math.min(seenA.top, seenB.top);
    const width = Math.trunc(fround(Math.max(seenA.right, seenB.right) - x)) + 1;
    const height = Math.trunc(fround(Math.max(seenA.bottom, seenB.bottom) - y)) + 1;
    const areaA = area(seenA), areaB = area(seenB);
    if (areaA / areaB < 1e-10 || areaB / areaA < 1e-10 || width < 1 || height < 1) return 0;
    if (boxOverlap(seenA, seenB) === 0) return 0;
    return this.#paint(a, b, { x, y, width, height });
  }

  #paint(a: Outline, b: Outline, grid: Grid): number {
    if (a.isBox && b.isBox) {
      const boxA = paintBox(a, grid), boxB = paintBox(b, grid);
      return ratio(pixels(intersection(boxA, boxB)), pixels(boxA), pixels(boxB));
    }
    if (a.isBox || b.isBox) {
      const [box, polygon] = a.isBox ? [a, b] : [b, a], painted = paintBox(box, grid);
      if (this.#quad.count(polygon, grid, painted)) {
        return ratio(this.#quad.shared, this.#quad.pixels, pixels(painted));
      }
    }
    const paintedA = this.#a.paint(a, grid), paintedB = this.#b.paint(b, grid);
    return ratio(paintedA.pixelsInPolygon(paintedB), paintedA.pixels, paintedB.pixels);
  }
}

function ratio(shared: number, a: number, b: number): number {
  return fround(shared / (a + b - shared));
}

/** An upright box fills the same columns in all its rows: the outermost pixels tell it. */
function paintBox({ xs, ys }: Outline, { x, y, width, height }: Grid): Bounds {
  const left = roundAway(fround(xs[0] - x)), right = roundAway(fround(xs[1] - x));
  const top = roundAway(fround(ys[0] - y)), bottom = roundAway(fround(ys[2] - y));
  // Two equal crossings cancel each other: without a width or a height nothing is painted.
  if (left === right || top === bottom) return { left: 0, top: 0, right: -1, bottom: -1 };
  return {
    left: Math.max(0, Math.min(left, right)),
    top: Math.max(0, Math.min(top, bottom)),
    right: Math.min(width - 1, Math.max(left, right)),
    bottom: Math.min(height - 1, Math.max(top, bottom)),
  };
}

/** Number of pixels in a painted box, whose outermost pixels belong to it. */
function pixels({ left, top, right, bottom }: Bounds): number {
  return Math.max(0, right - left + 1) * Math.max(0, bottom - top + 1);
}
