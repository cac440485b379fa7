import { type Color, createImage, type Image } from "./image.ts";
import { resizeBilinear } from "./resize.ts";

/** Which square a tracker cuts out, and at what size the network wants it. */
export interface SubwindowOptions {
  /** Centre in pixels of the frame. */
  readonly cx: number;
  readonly cy: number;
  /** Side of the square in pixels of the frame, an integer. */
  readonly side: number;
  /** Side of the result; 127 for a template, 255 for a search image. */
  readonly size: number;
  /** Colour beyond the frame, truncated to integers; the mean of the first frame. */
  readonly border: Color;
}

/**
 * Cuts the network's input out of a frame (`get_subwindow` of siamban/tracker/base_tracker.py),
 * bit for bit: whole source pixels, then {@linkcode resizeBilinear} unless the sizes agree.
 *
 * Parity: the border colour is truncated here, while {@linkcode warpCrop} rounds it.
 *
 * @throws {RangeError} If `side` is not a positive integer.
 */
export function getSubwindow(frame: Image, options: SubwindowOptions): Image {
  const { cx, cy, side, size, border } = options;
  if (!Number.isInteger(side) || side < 1) {
    throw new RangeError(`Cannot cut a square of side ${side}, expected a positive integer`);
  }
  const patch = cutPatch(frame, { ...subwindowCorner({ cx, cy, side }), side, border });
  return side === size ? patch : resizeBilinear(patch, size, size);
}

/** First pixel of the square that {@linkcode getSubwindow} cuts: centres close together share a square. */
export function subwindowCorner(
  { cx, cy, side }: Pick<SubwindowOptions, "cx" | "cy" | "side">,
): { left: number; top: number } {
  return {
    left: Math.floor(cx - (side + 1) / 2 + 0.5),
    top: Math.floor(cy - (side + 1) / 2 + 0.5),
  };
}

interface Patch {
  readonly left: number;
  readonly top: number;
  readonly side: number;
  readonly border: Color;
}

function cutPatch({ width, height, data }: Image, { left, top, side, border }: Patch): Image {
  const patch = createImage(side, side);
  if (left < 0 || top < 0 || left + side > width || top + side > height) {
    fill(patch.data, border);
  }
  const fromX = Math.max(0, left), toX = Math.min(width, left + side);
  if (fromX >= toX) return patch;
  for (let y = Math.max(0, top); y < Math.min(height, top + side); y++) {
    const row = data.subarray(3 * (y * width + fromX), 3 * (y * width + toX));
    patch.data.set(row, 3 * ((y - top) * side + fromX - left));
  }
  return patch;
}

function fill(data: Uint8Array, [blue, green, red]: Color): void {
  for (let i = 0; i < data.length; i += 3) {
    data[i] = blue;
    data[i + 1] = green;
    data[i + 2] = red;
  }
}
