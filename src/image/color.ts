/**
 * The steps of augmentation that change pixels but not their places (siamban/datasets/augmentation.py),
 * and the mirror. Whoever calls them draws the random numbers.
 *
 * @module
 */
import type { Corner } from "../geometry/boxes.ts";
import { type Color, createImage, type FloatImage, type Image } from "./image.ts";

/**
 * Principal directions of colour in ImageNet, scaled by their deviations ("PCA colour", Krizhevsky et
 * al. 2012): rows give red, green, blue (rgbVar; single precision in the reference).
 */
const COLOR_DIRECTIONS = [
  [-0.55919361, 0.98062831, -0.41940627],
  [1.72091413, 0.19879334, -1.82968581],
  [4.64467907, 4.73710203, 4.88324118],
].map((row) => row.map(Math.fround));

/**
 * The colour that {@linkcode subtractColor} takes away, from three numbers of the normal
 * distribution.
 */
export function colorOffset(normals: readonly [number, number, number]): Color {
  const [red, green, blue] = COLOR_DIRECTIONS.map((row) =>
    row[0] * normals[0] + row[1] * normals[1] + row[2] * normals[2]
  );
  return [blue, green, red];
}

/** Takes a colour away from each pixel; nothing is clipped or rounded. */
export function subtractColor(
  { width, height, data }: Image,
  [blue, green, red]: Color,
): FloatImage {
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    out[i] = data[i] - blue;
    out[i + 1] = data[i + 1] - green;
    out[i + 2] = data[i + 2] - red;
  }
  return { width, height, data: out };
}

/** Gray in all three channels, with OpenCV's 15-bit weights (ITU-R BT.601). */
export function toGray({ width, height, data }: Image): Image {
  const out = createImage(width, height);
  for (let i = 0; i < data.length; i += 3) {
    const gray = (3735 * data[i] + 19235 * data[i + 1] + 9798 * data[i + 2] + 16384) >> 15;
    out.data[i] = gray;
    out.data[i + 1] = gray;
    out.data[i + 2] = gray;
  }
  return out;
}

/** Mirrors left and right. */
export function flipHorizontal<T extends Uint8Array | Float32Array>(image: Image<T>): Image<T> {
  const { width, height } = image;
  const data: Uint8Array | Float32Array = image.data;
  const out = data.slice();
  for (let y = 0; y < height; y++) {
    let from = 3 * y * width, to = 3 * ((y + 1) * width - 1);
    for (let x = 0; x < width; x++, from += 3, to -= 3) {
      out[to] = data[from];
      out[to + 1] = data[from + 1];
      out[to + 2] = data[from + 2];
    }
  }
  return { width, height, data: out as T };
}

/** Where a box lies after {@linkcode flipHorizontal} of a picture of that width. */
export function flipBox({ x1, y1, x2, y2 }: Corner, width: number): Corner {
  return { x1: width - 1 - x2, y1, x2: width - 1 - x1, y2 };
}
