/**
 * Cutting a box out of a picture and scaling it, with the integer arithmetic of OpenCV, so that
 * prepared, augmented and tracked pixels equal the published ones bit for bit.
 *
 * @module
 */
import type { Corner } from "../geometry/boxes.ts";
import { roundHalfEven } from "../geometry/rounding.ts";
import { type Color, createImage, type Image } from "./image.ts";

/** What {@linkcode warpCrop} makes of the box. */
export interface WarpOptions {
  /** Side of the result in pixels. */
  readonly size: number;
  /** Colour beyond the picture, rounded half to even; black. */
  readonly border?: Color;
}

/**
 * Maps a box onto a square picture: the box's corners become the centres of the result's corner
 * pixels (`crop_hwc` of par_crop.py and `_crop_roi` of siamban/datasets/augmentation.py, which are
 * `cv2.warpAffine` with a constant border).
 *
 * Parity: coordinates are rounded to 1/32 pixel, as OpenCV rounds them.
 *
 * @param box In pixels of `image`; may reach beyond it, and need not be square.
 * @throws {RangeError} If the box has no positive, finite size.
 */
export function warpCrop(
  image: Image,
  box: Corner,
  { size, border = [0, 0, 0] }: WarpOptions,
): Image {
  const { width, height, data } = image;
  checkBox(box);
  const out = createImage(size, size);
  const [mapX, mapY] = invertScaling(box, size);
  // Parity: OpenCV rounds a column's offset and step apart, but a row's sum of both at once.
  const columnStart = roundHalfEven(mapX.offset * 1024);
  const columns = tapTable(size, width, (x) => columnStart + roundHalfEven(mapX.slope * x * 1024));
  const rows = tapTable(size, height, (y) => roundHalfEven((mapY.slope * y + mapY.offset) * 1024));
  // One row blended from two, as `32 * value`; its pixel 0 is the border, pixel k column k - 1 of
  // the window of columns in use. So the inner loop has no case for the picture's edge.
  const window = windowOf(columns, width);
  const blended = new Int32Array(3 * (window.count + 1));
  const left = columns.first.map((index) => 3 * lineIndex(index, width, window.start));
  const right = columns.first.map((index) => 3 * lineIndex(index + 1, width, window.start));
  const fill = border.map((value) => Math.min(255, Math.max(0, roundHalfEven(value))));
  const outside = Uint8Array.from({ length: 3 * window.count }, (_, i) => fill[i % 3]);
  const rowAt = (y: number) =>
    y < 0 || y >= height ? outside : data.subarray(
      3 * (y * width + window.start),
      3 * (y * width + window.start + window.count),
    );
  for (let channel = 0; channel < 3; channel++) blended[channel] = 32 * fill[channel];
  for (let y = 0; y < size; y++) {
    blendRows(blended, rowAt(rows.first[y]), rowAt(rows.first[y] + 1), rows.fraction[y]);
    blendColumns(out.data, 3 * y * size, blended, { left, right, fraction: columns.fraction });
  }
  return out;
}

/** @throws {RangeError} If a box has no positive, finite size. */
export function checkBox({ x1, y1, x2, y2 }: Corner): void {
  const w = x2 - x1, h = y2 - y1;
  if (w > 0 && h > 0 && Number.isFinite(w + h)) return;
  throw new RangeError(`Cannot crop a box of ${w} x ${h} pixels, expected a positive size`);
}

/** `in = slope * out + offset` along one axis. */
interface LinearMap {
  readonly slope: number;
  readonly offset: number;
}

/** Inverts `out = a (in - x1)`, in the operations and the order of OpenCV's warpAffine. */
function invertScaling(box: Corner, size: number): [LinearMap, LinearMap] {
  const a = (size - 1) / (box.x2 - box.x1);
  const b = (size - 1) / (box.y2 - box.y1);
  const inverse = a * b !== 0 ? 1 / (a * b) : 0;
  const slopeX = b * inverse, slopeY = a * inverse;
  return [
    { slope: slopeX, offset: -slopeX * (-a * box.x1) },
    { slope: slopeY, offset: -slopeY * (-b * box.y1) },
  ];
}

/** For each output coordinate: the first of two source coordinates, and the second one's share. */
interface Taps {
  readonly first: Int32Array;
  /** 0..31, in 1/32. */
  readonly fraction: Int32Array;
}

/** @param position Source coordinate of an output coordinate, in 1/1024 pixel. */
function tapTable(count: number, limit: number, position: (i: number) => number): Taps {
  const first = new Int32Array(count), fraction = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const rounded = Math.floor((position(i) + 16) / 32); // to 1/32 pixel
    fraction[i] = rounded & 31;
    // Further out there is nothing but border: a near index keeps tables and windows small.
    first[i] = Math.max(-2, Math.min(limit, Math.floor(rounded / 32)));
  }
  return { first, fraction };
}

/** The source columns that any output column reads. */
function windowOf({ first }: Taps, width: number): { start: number; count: number } {
  const clamp = (x: number) => Math.max(0, Math.min(width - 1, x));
  const ends = [clamp(first[0]), clamp(first[first.length - 1] + 1)];
  const start = Math.min(...ends);
  return { start, count: Math.max(...ends) - start + 1 };
}

function lineIndex(column: number, width: number, start: number): number {
  return column < 0 || column >= width ? 0 : column - start + 1;
}

function blendRows(line: Int32Array, upper: Uint8Array, lower: Uint8Array, share: number): void {
  const count = upper.length, rest = 32 - share;
  for (let i = 0; i < count; i++) line[i + 3] = rest * upper[i] + share * lower[i];
}

interface ColumnTable {
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly fraction: Int32Array;
}

function blendColumns(
  out: Uint8Array,
  start: number,
  line: Int32Array,
  { left, right, fraction }: ColumnTable,
): void {
  const count = left.length;
  for (let x = 0, to = start; x < count; x++, to += 3) {
    const a = left[x], b = right[x], share = fraction[x], rest = 32 - share;
    // 32 * 32 levels: OpenCV's (sum * 32 + 2^14) >> 15
    out[to] = (rest * line[a] + share * line[b] + 512) >> 10;
    out[to + 1] = (rest * line[a + 1] + share * line[b + 1] + 512) >> 10;
    out[to + 2] = (rest * line[a + 2] + share * line[b + 2] + 512) >> 10;
  }
}
