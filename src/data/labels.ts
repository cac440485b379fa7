import type { Corner } from "../geometry/boxes.ts";
import { cornerToCenter } from "../geometry/boxes.ts";
import type { PointGrid } from "../geometry/points.ts";
import type { Rng } from "../random.ts";

/** What each cell of the response says and points at. */
export interface PointLabels {
  /** `[S, S]`: 1 positive, 0 negative, -1 not used. */
  readonly cls: Int32Array;
  /** `[S, S, 4]`: distances left, top, right, bottom to the box's sides, in search pixels. */
  readonly loc: Float32Array;
}

/** How many points a sample keeps; the defaults are the published ones. */
export interface PointCounts {
  /** Most positive points (TRAIN.POS_NUM); 16. */
  readonly positive: number;
  /** Most positive and negative points together (TRAIN.TOTAL_NUM); 64. */
  readonly total: number;
  /** Most negative points of a negative pair (TRAIN.NEG_NUM); 16. */
  readonly negativePair: number;
}

export const POINT_COUNTS: PointCounts = { positive: 16, total: 64, negativePair: 16 };

/** Room for the labels of a grid, all cells unused. */
export function createPointLabels(points: PointGrid): PointLabels {
  const length = points.x.length;
  return { cls: new Int32Array(length).fill(-1), loc: new Float32Array(length * 4) };
}

/**
 * Labels every point before the random selection (SiamBAN, section 3.3): positive inside the
 * ellipse with half the box's axes, negative outside the one with the full axes, unused between
 * and exactly on either. A negative pair has no positives: the inside of the small ellipse, where
 * a wrong object sits, is negative, the rest unused, and all distances are 0.
 *
 * Parity: siamban/datasets/point_target.py, in float32 arithmetic; a side of 0 divides by zero.
 *
 * @param box The target in search pixels.
 * @param into Overwritten.
 */
export function labelPoints(
  box: Corner,
  { points, negativePair = false }: { points: PointGrid; negativePair?: boolean },
  into: PointLabels = createPointLabels(points),
): PointLabels {
  const { cls, loc } = into;
  const small = ellipseOf(box, 4), large = ellipseOf(box, 2);
  loc.fill(0);
  for (let i = 0; i < cls.length; i++) {
    const x = points.x[i], y = points.y[i];
    const inside = ellipseValue(small, x, y) < 1;
    if (negativePair) {
      cls[i] = inside ? 0 : -1;
      continue;
    }
    cls[i] = ellipseValue(large, x, y) > 1 ? 0 : inside ? 1 : -1;
    loc[4 * i] = x - Math.fround(box.x1);
    loc[4 * i + 1] = y - Math.fround(box.y1);
    loc[4 * i + 2] = Math.fround(box.x2) - x;
    loc[4 * i + 3] = Math.fround(box.y2) - y;
  }
  return into;
}

/**
 * Labels a sample: {@linkcode labelPoints}, then at most so many points of each kind, drawn at
 * random; the others become unused.
 */
export function pointTarget(
  box: Corner,
  options: {
    points: PointGrid;
    rng: Pick<Rng, "integer">;
    negativePair?: boolean;
    counts?: PointCounts;
  },
  into?: PointLabels,
): PointLabels {
  const { rng, negativePair = false, counts = POINT_COUNTS } = options;
  const labels = labelPoints(box, options, into);
  if (!negativePair) keepAtMost(labels.cls, { label: 1, count: counts.positive, rng });
  // Parity: unused places of positives are not given to negatives (64 - 16 = 48 at most).
  const negatives = negativePair ? counts.negativePair : counts.total - counts.positive;
  keepAtMost(labels.cls, { label: 0, count: negatives, rng });
  return labels;
}

interface Ellipse {
  readonly cx: number;
  readonly cy: number;
  readonly a2: number;
  readonly b2: number;
}

/** Scalars are computed in double and rounded once, as NumPy does when they meet a float32 array. */
function ellipseOf(box: Corner, divisor: number): Ellipse {
  const { cx, cy, w, h } = cornerToCenter(box);
  return {
    cx: Math.fround(cx),
    cy: Math.fround(cy),
    a2: Math.fround((w / divisor) ** 2),
    b2: Math.fround((h / divisor) ** 2),
  };
}

function ellipseValue({ cx, cy, a2, b2 }: Ellipse, x: number, y: number): number {
  const dx = Math.fround(cx - x), dy = Math.fround(cy - y);
  const across = Math.fround(Math.fround(dx * dx) / a2);
  return Math.fround(across + Math.fround(Math.fround(dy * dy) / b2));
}

/** Draws which cells of a label stay (the first steps of a shuffle) and unsets the rest. */
function keepAtMost(
  cls: Int32Array,
  { label, count, rng }: { label: number; count: number; rng: Pick<Rng, "integer"> },
): void {
  const cells: number[] = [];
  cls.forEach((value, i) => value === label && cells.push(i));
  if (cells.length <= count) return;
  for (let i = 0; i < count; i++) {
    const j = i + rng.integer(cells.length - i);
    [cells[i], cells[j]] = [cells[j], cells[i]];
  }
  for (const cell of cells.slice(count)) cls[cell] = -1;
}
