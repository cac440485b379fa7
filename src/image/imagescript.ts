/**
 * The `imagescript` library behind one door: B, G, R here, R, G, B, alpha there. It is imported at
 * its first use, because loading it costs more than decoding a picture.
 *
 * @module
 */
import { createImage, type Image } from "./image.ts";

/** The library. */
export function imageScript(): Promise<typeof import("imagescript")> {
  return import("imagescript");
}

/** Drops alpha (as OpenCV's reader does) and swaps to B, G, R. */
export function fromRgba(bitmap: Uint8Array | Uint8ClampedArray, size: Size): Image {
  const image = createImage(size.width, size.height);
  for (let from = 0, to = 0; to < image.data.length; from += 4, to += 3) {
    image.data[to] = bitmap[from + 2];
    image.data[to + 1] = bitmap[from + 1];
    image.data[to + 2] = bitmap[from];
  }
  return image;
}

/** Swaps to R, G, B and adds full alpha, into `bitmap`. */
export function toRgba({ data }: Image, bitmap: Uint8Array | Uint8ClampedArray): void {
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    bitmap[to] = data[from + 2];
    bitmap[to + 1] = data[from + 1];
    bitmap[to + 2] = data[from];
    bitmap[to + 3] = 255;
  }
}

interface Size {
  readonly width: number;
  readonly height: number;
}
