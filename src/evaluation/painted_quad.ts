import { type Corners, type Grid, roundAway } from "./painted_polygon.ts";
import type { Bounds } from "./region.ts";

const { fround } = Math;

/**
 * Counts the pixels of a convex quadrilateral, nearly all that trackers are compared with: a row of
 * it is one run between a left and a right edge, so nothing needs to be sorted.
 */
export class PaintedQuad {
  /** Column of the left edge a row, from the top, and of the right edge. */
  #lefts = new Int32Array(512);
  #rights = new Int32Array(512);
  readonly #xs = new Int32Array(4);
  readonly #ys = new Int32Array(4);
  #firstRow = 0;
  #rows = 0;
  /** Number of pixels. */
  pixels = 0;
  /** Number of pixels in common with the box. */
  shared = 0;

  /**
   * Counts, with the same result as painting a polygon; {@linkcode pixels} and {@linkcode shared}
   * then hold it.
   *
   * @param box A painted box, its outermost pixels included.
   * @returns False if the corners are not those of a convex quadrilateral; nothing is counted.
   */
  count({ corners, xs, ys }: Corners, grid: Grid, box: Bounds): boolean {
    if (corners !== 4) return false;
    for (let i = 0; i < 4; i++) {
      this.#xs[i] = roundAway(fround(xs[i] - grid.x));
      this.#ys[i] = roundAway(fround(ys[i] - grid.y));
    }
    const turn = this.#turn();
    if (turn === 0) return false;
    this.#reserve(grid.height);
    for (let i = 0, j = 3; i < 4; j = i++) {
      const rise = this.#ys[j] - this.#ys[i];
      // With the corners to the right about, edges go down on the right.
      if (rise !== 0) this.#follow(i, j, (rise < 0) === (turn > 0) ? this.#rights : this.#lefts);
    }
    this.#countRows(grid, box);
    return true;
  }

  /** 1 or −1 if every corner turns to that side, else 0. */
  #turn(): number {
    const xs = this.#xs, ys = this.#ys;
    let turn = 0;
    for (let i = 0; i < 4; i++) {
      const j = (i + 1) & 3, k = (i + 2) & 3;
      const side = Math.sign(
        (xs[j] - xs[i]) * (ys[k] - ys[j]) - (ys[j] - ys[i]) * (xs[k] - xs[j]),
      );
      if (side === 0 || side === -turn) return 0;
      turn = side;
    }
    return turn;
  }

  #reserve(height: number): void {
    const ys = this.#ys, a = ys[0], b = ys[1], c = ys[2], d = ys[3];
    this.#firstRow = Math.max(0, Math.min(a, b, c, d));
    this.#rows = Math.min(height - 1, Math.max(a, b, c, d)) - this.#firstRow + 1;
    if (this.#rows > this.#lefts.length) {
      this.#lefts = new Int32Array(this.#rows);
      this.#rights = new Int32Array(this.#rows);
    }
  }

  /** Notes where the edge from corner i to corner j touches each row. */
  #follow(i: number, j: number, columns: Int32Array): void {
    const x = this.#xs[i], y = this.#ys[i], run = this.#xs[j] - x, rise = this.#ys[j] - y;
    const from = Math.max(0, Math.min(y, y + rise) - this.#firstRow);
    const to = Math.min(this.#rows - 1, Math.max(y, y + rise) - this.#firstRow);
    const start = this.#firstRow - y;
    // Stored as an integer, a column is cut towards zero.
    for (let row = from; row <= to; row++) columns[row] = x + (start + row) / rise * run;
  }

  #countRows({ width }: Grid, { left, top, right, bottom }: Bounds): void {
    const lefts = this.#lefts, rights = this.#rights;
    const firstIn = top - this.#firstRow, lastIn = bottom - this.#firstRow;
    let pixels = 0, shared = 0;
    for (let row = 0; row < this.#rows; row++) {
      // Two equal columns cancel each other.
      if (lefts[row] === rights[row]) continue;
      const from = Math.max(0, lefts[row]), to = Math.min(width - 1, rights[row]);
      if (from > to) continue;
      pixels += to - from + 1;
      if (row < firstIn || row > lastIn) continue;
      const common = Math.min(right, to) - Math.max(left, from) + 1;
      if (common > 0) shared += common;
    }
    this.pixels = pixels;
    this.shared = shared;
  }
}
