const { fround } = Math;

/** The grid that both regions of a pair are painted on. */
export interface Grid {
  /** What is subtracted from coordinates. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Corners of a polygon with the rows it lies between. */
export interface Corners {
  /** Number of corners. */
  readonly corners: number;
  readonly xs: Float32Array;
  readonly ys: Float32Array;
  readonly top: number;
  readonly bottom: number;
}

/** A 32-bit float rounded, half away from zero, as C does. */
export function roundAway(x: number): number {
  return Math.trunc(x + 0.5 * Math.sign(x));
}

/** A painted polygon. */
export class PaintedPolygon {
  /**
   * Each row's list: first and last column of each run of pixels, from left to right. While edges
   * are followed it holds the columns where they touch the row, in order.
   */
  #columns = new Int32Array(4 * 512);
  /** Length of each row's list. */
  #lengths = new Int32Array(512);
  /** Places a row. */
  #stride = 0;
  #firstRow = 0;
  #rows = 0;
  pixels = 0;

  paint({ corners, xs, ys, top, bottom }: Corners, { x, y, width, height }: Grid): this {
    // Rounding moves a corner by half a pixel at most.
    this.#firstRow = Math.max(0, Math.floor(top - y) - 1);
    const lastRow = Math.min(height - 1, Math.ceil(bottom - y) + 1);
    this.#reserve(Math.max(0, lastRow - this.#firstRow + 1), corners);
    let x2 = roundAway(fround(xs[corners - 1] - x));
    let y2 = roundAway(fround(ys[corners - 1] - y));
    for (let i = 0; i < corners; i++) {
      const x1 = roundAway(fround(xs[i] - x)), y1 = roundAway(fround(ys[i] - y));
      // An edge along a row adds nothing to it.
      if (y1 !== y2) this.#followEdge(x1, y1, x2 - x1, y2 - y1);
      x2 = x1;
      y2 = y1;
    }
    this.#fill(width);
    return this;
  }

  #reserve(rows: number, corners: number): void {
    this.#rows = rows;
    this.#stride = corners;
    if (rows > this.#lengths.length) this.#lengths = new Int32Array(rows);
    else this.#lengths.fill(0, 0, rows);
    if (rows * corners > this.#columns.length) this.#columns = new Int32Array(rows * corners);
  }

  /** Notes where the edge from (x1, y1) to (x1 + run, y1 + rise) touches each row. */
  #followEdge(x1: number, y1: number, run: number, rise: number): void {
    const columns = this.#columns, lengths = this.#lengths, stride = this.#stride;
    const from = Math.max(0, Math.min(y1, y1 + rise) - this.#firstRow);
    const to = Math.min(this.#rows - 1, Math.max(y1, y1 + rise) - this.#firstRow);
    for (let row = from, dy = from + this.#firstRow - y1; row <= to; row++, dy++) {
      const column = Math.trunc(x1 + dy / rise * run), start = row * stride;
      let place = start + lengths[row]++;
      for (; place > start && columns[place - 1] > column; place--) {
        columns[place] = columns[place - 1];
      }
      columns[place] = column;
    }
  }

  /** Fills between pairs of touched columns, both included. */
  #fill(width: number): void {
    const columns = this.#columns, lengths = this.#lengths;
    let sum = 0;
    for (let row = 0; row < this.#rows; row++) {
      const start = row * this.#stride, end = start + lengths[row] - 1;
      let painted = -1, place = start;
      for (let i = start; i < end;) {
        // A corner that lies in the row is touched twice: the first does not count.
        if (columns[i] === columns[i + 1]) {
          i++;
          continue;
        }
        const from = Math.max(painted + 1, columns[i]), to = Math.min(width - 1, columns[i + 1]);
        i += 2;
        if (from > to) continue;
        columns[place++] = from;
        columns[place++] = painted = to;
        sum += to - from + 1;
      }
      lengths[row] = place - start;
    }
    this.pixels = sum;
  }

  /** Number of pixels in common with another polygon painted on the same grid. */
  pixelsInPolygon(other: PaintedPolygon): number {
    let shared = 0;
    for (let row = 0; row < other.#rows; row++) {
      const mine = row + other.#firstRow - this.#firstRow;
      if (mine < 0 || mine >= this.#rows) continue;
      const a = mine * this.#stride, b = row * other.#stride;
      for (let i = a; i < a + this.#lengths[mine]; i += 2) {
        for (let j = b; j < b + other.#lengths[row]; j += 2) {
          const right = Math.min(this.#columns[i + 1], other.#columns[j + 1]);
          shared += Math.max(0, right - Math.max(this.#columns[i], other.#columns[j]) + 1);
        }
      }
    }
    return shared;
  }
}
