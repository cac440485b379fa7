import type { Color, FloatImage, Image } from "./image.ts";

/** The shape of a {@linkcode blurCross}. */
export interface BlurOptions {
  /** Length of both bars of the cross in pixels, odd. */
  readonly size: number;
  /** Share of the vertical bar, 0..1; the horizontal one has the rest. */
  readonly verticalShare: number;
}

/**
 * Blurs like a shaken camera: the mean over a vertical bar and the mean over a horizontal bar,
 * weighted (`_blur_aug` of siamban/datasets/augmentation.py). Borders are mirrored without repeating
 * the edge pixel. 8-bit pixels are rounded half to even, floating-point ones are not.
 *
 * Both means are running sums, so the time does not depend on `size`.
 *
 * @throws {RangeError} If `size` is not odd and positive.
 */
export function blurCross<T extends Uint8Array | Float32Array>(
  image: Image<T>,
  options: BlurOptions,
): Image<T> {
  const { width, height, data } = image;
  const result: Uint8Array | Float32Array = data.slice();
  // A clamped view rounds half to even on its own, as OpenCV does.
  const out = result instanceof Float32Array ? result : new Uint8ClampedArray(result.buffer);
  blurInto(out, image, options, [0, 0, 0]);
  return { width, height, data: result as T };
}

/**
 * {@linkcode blurCross} and then a colour taken away. Sums of 8-bit pixels are exact, so that the
 * result does not depend on the order of work; it is rounded once.
 */
export function blurAndSubtract(image: Image, options: BlurOptions, color: Color): FloatImage {
  const { width, height } = image;
  const data = new Float32Array(image.data.length);
  blurInto(data, image, options, color);
  return { width, height, data };
}

function blurInto(
  out: Uint8ClampedArray | Float32Array,
  { width, height, data }: Image<Uint8Array | Float32Array>,
  { size, verticalShare }: BlurOptions,
  color: Color,
): void {
  if (!(size > 0) || size % 2 !== 1) {
    throw new RangeError(`Cannot blur with a cross of ${size} pixels, expected an odd number`);
  }
  const radius = (size - 1) / 2;
  const columnSums = new Float64Array(3 * width);
  for (let dy = -radius - 1; dy < radius; dy++) {
    addRow(columnSums, data, 3 * width * mirror(dy, height), 1);
  }
  const weights = { vertical: verticalShare / size, horizontal: (1 - verticalShare) / size };
  const enter = mirrorTable(width, radius), leave = mirrorTable(width, -radius - 1);
  for (let y = 0; y < height; y++) {
    const start = 3 * width * y;
    addRow(columnSums, data, 3 * width * mirror(y + radius, height), 1);
    addRow(columnSums, data, 3 * width * mirror(y - radius - 1, height), -1);
    blurRow(out, data, start, { columnSums, enter, leave, radius, color, ...weights });
  }
}

/** Reflects a coordinate into 0..n - 1; the edge itself is not repeated. */
function mirror(i: number, n: number): number {
  if (n === 1) return 0;
  const period = 2 * (n - 1);
  const k = ((i % period) + period) % period;
  return k < n ? k : period - k;
}

/** Offset in a row of the mirrored pixel `x + shift`, for each `x`. */
function mirrorTable(width: number, shift: number): Int32Array {
  return Int32Array.from({ length: width }, (_, x) => 3 * mirror(x + shift, width));
}

function addRow(
  sums: Float64Array,
  data: Uint8Array | Float32Array,
  start: number,
  sign: number,
): void {
  for (let i = 0; i < sums.length; i++) sums[i] += sign * data[start + i];
}

interface RowOptions {
  readonly columnSums: Float64Array;
  readonly enter: Int32Array;
  readonly leave: Int32Array;
  readonly radius: number;
  readonly vertical: number;
  readonly horizontal: number;
  /** Taken away from the result. */
  readonly color: Color;
}

function blurRow(
  out: Uint8ClampedArray | Float32Array,
  data: Uint8Array | Float32Array,
  start: number,
  { columnSums, enter, leave, radius, vertical, horizontal, color }: RowOptions,
): void {
  const width = enter.length;
  let blue = 0, green = 0, red = 0; // the window of x - 1 = -1, so that each x moves it by one
  for (let dx = -radius - 1; dx < radius; dx++) {
    const at = start + 3 * mirror(dx, width);
    blue += data[at];
    green += data[at + 1];
    red += data[at + 2];
  }
  for (let x = 0, i = 0; x < width; x++, i += 3) {
    const a = start + enter[x], b = start + leave[x];
    blue += data[a] - data[b];
    green += data[a + 1] - data[b + 1];
    red += data[a + 2] - data[b + 2];
    out[start + i] = vertical * columnSums[i] + horizontal * blue - color[0];
    out[start + i + 1] = vertical * columnSums[i + 1] + horizontal * green - color[1];
    out[start + i + 2] = vertical * columnSums[i + 2] + horizontal * red - color[2];
  }
}
