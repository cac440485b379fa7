import type { Bounds } from "./region.ts";

/**
 * A region as the corners that are painted, with the whole pixels around them. One outline takes
 * region after region: there are hundreds of thousands in a comparison.
 */
export class Outline implements Bounds {
  /** Number of corners. */
  corners = 0;
  /** Columns of the corners, and perhaps more that do not count. */
  xs = new Float32Array(8);
  ys = new Float32Array(8);
  isBox = false;
  left = 0;
  top = 0;
  right = 0;
  bottom = 0;

  /** Becomes the outline of the region whose numbers lie from `start` to `end`. */
  trace(numbers: Float64Array, start: number, end: number): this {
    this.isBox = end - start === 4;
    if (this.isBox) {
      const x = numbers[start], y = numbers[start + 1];
      this.#setBox(x, y, x + numbers[start + 2], y + numbers[start + 3]);
    } else this.#setCorners(numbers, start, end);
    this.#enclose();
    return this;
  }

  #setBox(left: number, top: number, right: number, bottom: number): void {
    const { xs, ys } = this;
    this.corners = 4;
    xs[0] = xs[3] = left;
    xs[1] = xs[2] = right;
    ys[0] = ys[1] = top;
    ys[2] = ys[3] = bottom;
  }

  #setCorners(numbers: Float64Array, start: number, end: number): void {
    this.corners = (end - start) / 2;
    if (this.corners > this.xs.length) {
      this.xs = new Float32Array(this.corners);
      this.ys = new Float32Array(this.corners);
    }
    const { xs, ys } = this;
    for (let i = start, k = 0; i < end; k++) {
      xs[k] = numbers[i++];
      ys[k] = numbers[i++];
    }
  }

  #enclose(): void {
    const { xs, ys, corners } = this;
    let left = Infinity, right = -Infinity, top = Infinity, bottom = -Infinity;
    for (let i = 0; i < corners; i++) {
      const x = xs[i], y = ys[i];
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
    }
    // Adding 0 makes −0 a whole number like the others: one of another kind is compiled for anew.
    this.left = Math.floor(left) + 0;
    this.top = Math.floor(top) + 0;
    this.right = Math.ceil(right) + 0;
    this.bottom = Math.ceil(bottom) + 0;
  }
}
