/**
 * A picture on the host: interleaved B, G, R, rows from top to bottom, three channels, 0..255; the
 * order of OpenCV, which the published weights expect.
 */
export interface Image<T = Uint8Array> {
  readonly width: number;
  readonly height: number;
  /** `[height, width, 3]`. */
  readonly data: T;
}

/** A picture after the colour or blur step: not clipped, not rounded. */
export type FloatImage = Image<Float32Array>;

/** Blue, green, red. */
export type Color = readonly [number, number, number];

/** A black picture. */
export function createImage(width: number, height: number): Image {
  return { width, height, data: new Uint8Array(width * height * 3) };
}

/** The same pixels as floating-point numbers. */
export function toFloatImage({ width, height, data }: Image): FloatImage {
  return { width, height, data: Float32Array.from(data) };
}

/** The mean of each channel, not rounded; crops fill what lies beyond the image with it. */
export function meanColor({ width, height, data }: Image): Color {
  let blue = 0, green = 0, red = 0;
  for (let i = 0; i < data.length; i += 3) {
    blue += data[i];
    green += data[i + 1];
    red += data[i + 2];
  }
  const pixels = width * height;
  return [blue / pixels, green / pixels, red / pixels];
}
