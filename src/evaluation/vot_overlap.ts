/**
 * Overlap of regions as the VOT toolkits up to 2019 measure it: both regions are painted on a pixel
 * grid and pixels are counted (TraX's region.c, which pysot's `vot_overlap` wraps). The arithmetic
 * is that of 32-bit floats.
 *
 * @module
 */
import { type NumberRows, NumberRowsBuilder } from "./number_rows.ts";
import { Outline } from "./outline.ts";
import { type Grid, PaintedPolygon, roundAway } from "./painted_polygon.ts";
import { PaintedQuad } from "./painted_quad.ts";
import { Rectangle } from "./rectangle.ts";
import { type Bounds, numbersOf, type Region } from "./region.ts";
import type { Trajectory } from "./trajectory.ts";

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
  return painter.overlap(outlineOf(a), outlineOf(b), bounds);
}

function outlineOf(region: Region): Outline {
  const numbers = Float64Array.from(numbersOf(region));
  return new Outline().trace(numbers, 0, numbers.length);
}

/**
 * {@linkcode votOverlap} frame by frame, for as many frames as both have.
 *
 * @returns 0 to 1 a frame; NaN where one of the two is a mark or missing.
 */
export function votOverlaps(
  predicted: Trajectory,
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
  predicted: Trajectory,
  truth: readonly (Region | null)[],
  bounds: readonly Bounds[],
): Float64Array[] {
  const found = predicted.rows, wanted = rowsOf(truth);
  const frames = Math.min(found.length, wanted.length);
  // Of one bounds after the other.
  const overlaps = new Float64Array(bounds.length * frames).fill(NaN);
  for (let i = 0; i < frames; i++) {
    if (!isRegion(found, i) || !isRegion(wanted, i)) continue;
    const a = outlineA.trace(found.numbers, found.start(i), found.end(i));
    const b = outlineB.trace(wanted.numbers, wanted.start(i), wanted.end(i));
    for (let k = 0, at = i; k < bounds.length; k++, at += frames) {
      overlaps[at] = k > 0 && isWithin(a, bounds[k]) && isWithin(b, bounds[k])
        ? overlaps[at - frames]
        : painter.overlap(a, b, bounds[k]);
    }
  }
  return bounds.map((_, k) => overlaps.subarray(k * frames, (k + 1) * frames));
}

/** Each truth is compared with many predictions: its numbers are laid out once. */
const laidOut = new WeakMap<readonly (Region | null)[], NumberRows>();

function rowsOf(truth: readonly (Region | null)[]): NumberRows {
  let rows = laidOut.get(truth);
  if (!rows) {
    for (const region of truth) builder.push(region ? numbersOf(region) : []);
    laidOut.set(truth, rows = builder.build());
  }
  return rows;
}

function isRegion(rows: NumberRows, i: number): boolean {
  return rows.end(i) - rows.start(i) >= 4;
}

function isWithin(a: Bounds, b: Bounds): boolean {
  return a.left >= b.left && a.top >= b.top && a.right <= b.right && a.bottom <= b.bottom;
}

/** Paints pairs of regions; keeps its memory from one pair to the next. */
class Painter {
  readonly #seenA = new Rectangle();
  readonly #seenB = new Rectangle();
  readonly #shared = new Rectangle();
  readonly #grid: { -readonly [K in keyof Grid]: Grid[K] } = { x: 0, y: 0, width: 0, height: 0 };
  readonly #boxA = new Rectangle();
  readonly #boxB = new Rectangle();
  readonly #quad = new PaintedQuad();
  readonly #polygonA = new PaintedPolygon();
  readonly #polygonB = new PaintedPolygon();

  overlap(a: Outline, b: Outline, bounds: Bounds): number {
    const seenA = this.#seenA.intersect(a, bounds), seenB = this.#seenB.intersect(b, bounds);
    const grid = this.#grid;
    grid.x = Math.min(seenA.left, seenB.left);
    grid.y = Math.min(seenA.top, seenB.top);
    grid.width = Math.trunc(fround(Math.max(seenA.right, seenB.right) - grid.x)) + 1;
    grid.height = Math.trunc(fround(Math.max(seenA.bottom, seenB.bottom) - grid.y)) + 1;
    const areaA = seenA.area(), areaB = seenB.area();
    if (areaA / areaB < 1e-10 || areaB / areaA < 1e-10) return 0;
    if (grid.width < 1 || grid.height < 1) return 0;
    // Overlap of the two boxes; it only decides whether painting is worth it.
    const shared = this.#shared.intersect(seenA, seenB).area();
    if (fround(shared / fround(fround(areaA + areaB) - shared)) <= 0) return 0;
    return this.#paint(a, b);
  }

  #paint(a: Outline, b: Outline): number {
    const grid = this.#grid;
    if (a.isBox && b.isBox) {
      const boxA = paintBox(a, grid, this.#boxA), boxB = paintBox(b, grid, this.#boxB);
      return ratio(this.#shared.intersect(boxA, boxB).pixels(), boxA.pixels(), boxB.pixels());
    }
    if (a.isBox || b.isBox) {
      const box = paintBox(a.isBox ? a : b, grid, this.#boxA), quad = this.#quad;
      if (quad.count(a.isBox ? b : a, grid, box)) {
        return ratio(quad.shared, quad.pixels, box.pixels());
      }
    }
    const paintedA = this.#polygonA.paint(a, grid), paintedB = this.#polygonB.paint(b, grid);
    return ratio(paintedA.pixelsInPolygon(paintedB), paintedA.pixels, paintedB.pixels);
  }
}

// Of one pair after the other: there are hundreds of thousands in a comparison.
const painter = new Painter(), outlineA = new Outline(), outlineB = new Outline();
const builder = new NumberRowsBuilder();

function ratio(shared: number, a: number, b: number): number {
  return fround(shared / (a + b - shared));
}

/**
 * An upright box fills the same columns in all its rows: the outermost pixels tell it.
 *
 * @param painted Becomes them.
 */
function paintBox(
  { xs, ys }: Outline,
  { x, y, width, height }: Grid,
  painted: Rectangle,
): Rectangle {
  const left = roundAway(fround(xs[0] - x)), right = roundAway(fround(xs[1] - x));
  const top = roundAway(fround(ys[0] - y)), bottom = roundAway(fround(ys[2] - y));
  // Two equal crossings cancel each other: without a width or a height nothing is painted.
  if (left === right || top === bottom) return painted.set(0, 0, -1, -1);
  return painted.set(
    Math.max(0, Math.min(left, right)),
    Math.max(0, Math.min(top, bottom)),
    Math.min(width - 1, Math.max(left, right)),
    Math.min(height - 1, Math.max(top, bottom)),
  );
}
