import type { Bounds } from "./region.ts";

const { fround } = Math;

/**
 * Bounds that are set again and again: hundreds of thousands of pairs are compared, and making new
 * ones for each takes longer than comparing them. The arithmetic is that of 32-bit floats.
 */
export class Rectangle implements Bounds {
  left = 0;
  top = 0;
  right = 0;
  bottom = 0;

  set(left: number, top: number, right: number, bottom: number): this {
    this.left = left;
    this.top = top;
    this.right = right;
    this.bottom = bottom;
    return this;
  }

  /** Becomes the part that two have in common; turned inside out where there is none. */
  intersect(a: Bounds, b: Bounds): this {
    this.left = Math.max(a.left, fround(b.left));
    this.top = Math.max(a.top, fround(b.top));
    this.right = Math.min(a.right, fround(b.right));
    this.bottom = Math.min(a.bottom, fround(b.bottom));
    return this;
  }

  area(): number {
    return fround(fround(this.right - this.left) * fround(this.bottom - this.top));
  }

  /** Number of pixels, the outermost included. */
  pixels(): number {
    return Math.max(0, this.right - this.left + 1) * Math.max(0, this.bottom - this.top + 1);
  }
}
