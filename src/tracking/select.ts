import type { PointGrid } from "../geometry/points.ts";
import type { Center, Size } from "../geometry/boxes.ts";

/** Network outputs for one search image. */
export interface Response {
  /** Probability of the target at each point, `[S * S]`. */
  readonly scores: Float32Array;
  /** Left, top, right, bottom distances in search pixels, `[S * S * 4]`. */
  readonly distances: Float32Array;
}

/** How the best point is chosen. */
export interface SelectOptions {
  /** Strength of the penalty on changes of scale and aspect ratio (SiamRPN, section 4.3). */
  readonly penaltyK: number;
  /** Weight of the cosine window against the score, 0 to 1. */
  readonly windowInfluence: number;
}

/** The chosen point. */
export interface SelectedBox {
  /** Box in search pixels, relative to the centre of the search image. */
  readonly box: Center;
  readonly score: number;
  /** `exp(-(r s - 1) penaltyK)`, 1 for an unchanged shape. */
  readonly penalty: number;
}

/**
 * Chooses the point with the best penalised and windowed score
 * (siamban/tracker/siamban_tracker.py, `track`).
 *
 * @param points Centres of the points, relative to the centre of the search image.
 * @param window Weight of each point, `[S * S]`, see {@linkcode cosineWindow}.
 * @param previous Size of the target in search pixels.
 * @returns Without any candidate the target stays where it is, with score 0.
 */
export function selectBox(
  { scores, distances }: Response,
  { points, window, previous, penaltyK, windowInfluence }: SelectOptions & {
    readonly points: PointGrid;
    readonly window: Float64Array;
    readonly previous: Size;
  },
): SelectedBox {
  const previousSide = paddedSide(previous);
  const previousRatio = previous.w / previous.h;
  let best = -1, bestValue = -Infinity, bestPenalty = 0;
  for (let i = 0; i < scores.length; i++) {
    const size = { w: width(distances, i), h: height(distances, i) };
    // Parity: a box turned inside out or without end, which only an untrained head predicts, is no
    // candidate; the published tracker goes on with a size that is not a number.
    if (!(isSize(size.w) && isSize(size.h))) continue;
    const scaleChange = change(paddedSide(size) / previousSide);
    const ratioChange = change(previousRatio / (size.w / size.h));
    const penalty = Math.exp(-(ratioChange * scaleChange - 1) * penaltyK);
    const value = penalty * scores[i] * (1 - windowInfluence) + window[i] * windowInfluence;
    if (value > bestValue) [best, bestValue, bestPenalty] = [i, value, penalty];
  }
  if (best < 0) return { box: { cx: 0, cy: 0, ...previous }, score: 0, penalty: 0 };
  const x1 = points.x[best] - distances[4 * best], x2 = points.x[best] + distances[4 * best + 2];
  const y1 = points.y[best] - distances[4 * best + 1],
    y2 = points.y[best] + distances[4 * best + 3];
  return {
    box: { cx: (x1 + x2) / 2, cy: (y1 + y2) / 2, w: x2 - x1, h: y2 - y1 },
    score: scores[best],
    penalty: bestPenalty,
  };
}

/** Outer product of two Hann windows, `[size * size]`, row-major; 0 at the border, 1 in the centre. */
export function cosineWindow(size: number): Float64Array {
  const hann = Float64Array.from(
    { length: size },
    (_, i) => size === 1 ? 1 : 0.5 - 0.5 * Math.cos(2 * Math.PI * i / (size - 1)),
  );
  return Float64Array.from(
    { length: size * size },
    (_, i) => hann[Math.floor(i / size)] * hann[i % size],
  );
}

function isSize(length: number): boolean {
  return length > 0 && length < Infinity;
}

function width(distances: Float32Array, i: number): number {
  return distances[4 * i] + distances[4 * i + 2];
}

function height(distances: Float32Array, i: number): number {
  return distances[4 * i + 1] + distances[4 * i + 3];
}

/** Side of the square of the same area as a box with context. */
function paddedSide({ w, h }: Size): number {
  const padding = (w + h) * 0.5;
  return Math.sqrt((w + padding) * (h + padding));
}

function change(ratio: number): number {
  return Math.max(ratio, 1 / ratio);
}
