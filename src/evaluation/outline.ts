import { type Bounds, isPolygon, type Region } from "./region.ts";

const { fround } = Math;

/**
 * A region as the corners that are painted, with the whole pixels around them. One outline takes
 * region after region: there are hundreds of thousands in a comparison.
 */
export class Outline implements Bounds {
  /** Columns of the corners, as 32-bit floats. */
  readonly xs: number[] = [];
  readonly ys: number[] = [];
  isBox = false;
  left = 0;
  top = 0;
  right = 0;
  bottom = 0;

  /** Becomes the outline of a region. */
  trace(region: Region): this {
    this.isBox = !isPolygon(region);
    if (isPolygon(region)) this.#setCorners(region.points);
    else {
      const { x, y, w, h } = region, right = x + w, bottom = y + h;
      this.#setCorners([x, y, right, y, right, bottom, x, bottom]);
    }
    this.#enclose();
    return this;
  }

  #setCorners(points: readonly number[]): void {
    this.xs.length = this.ys.length = points.length / 2;
    for (let i = 0, k = 0; i < points.length; k++) {
      this.xs[k] = fround(points[i++]);
      this.ys[k] = fround(points[i++]);
    }
  }

  #enclose(): void {
    let left = Infinity, right = -Infinity, top = Infinity, bottom = -Infinity;
    for (let i = 0; i < this.xs.length; i++) {
      const x = this.xs[i], y = this.ys[i];
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
    }
    this.left = Math.floor(left);
    this.top = Math.floor(top);
    this.right = Math.ceil(right);
    this.bottom = Math.ceil(bottom);
  }
}
