/** The place of a {@linkcode pointGrid}. */
export interface PointGridOptions {
  /** Pixels from one point to the next. */
  readonly stride: number;
  /** Points a side. */
  readonly size: number;
  /**
   * Pixel coordinate of the middle point: 127 (half of a search image of 255) for labels, 0
   * (relative to the target) in the tracker.
   */
  readonly center?: number;
}

/** Coordinates of `S * S` points, `[S, S]` row-major; `x` grows along a row, `y` down a column. */
export interface PointGrid {
  readonly x: Float32Array;
  readonly y: Float32Array;
}

/**
 * The cells' centres in search-image pixels, where the head says "target here" and how far each
 * side is (SiamBAN, section 3.2). Coordinate k is `center - floor(size / 2) * stride + k * stride`.
 *
 * @example
 * ```ts
 * import { pointGrid } from "siamban";
 * import { assertEquals } from "@std/assert";
 *
 * const { x, y } = pointGrid({ stride: 8, size: 25, center: 127 });
 * assertEquals([x[0], x[1], y[0], y[25], x[624]], [31, 39, 31, 39, 223]);
 * ```
 */
export function pointGrid({ stride, size, center = 0 }: PointGridOptions): PointGrid {
  const x = new Float32Array(size * size);
  const y = new Float32Array(size * size);
  const first = center - Math.floor(size / 2) * stride;
  for (let row = 0, i = 0; row < size; row++) {
    for (let column = 0; column < size; column++, i++) {
      x[i] = first + stride * column;
      y[i] = first + stride * row;
    }
  }
  return { x, y };
}
