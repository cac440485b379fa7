import { type Library, openLibrary } from "../ffi/library.ts";
import { roundHalfEven } from "../geometry/rounding.ts";
import type { Corner } from "../geometry/boxes.ts";
import { type Color, createImage, type Image } from "./image.ts";
import { checkBox, type WarpOptions } from "./warp.ts";

const symbols = {
  siamban_image_mean: { // const uint8_t *pixels, count, double *mean
    parameters: ["buffer", "u32", "buffer"],
    result: "void",
  },
  siamban_image_crop: { // const uint8_t *pixels, w, h, const double *window, size, *border, *out
    parameters: ["buffer", "i32", "i32", "buffer", "i32", "buffer", "buffer"],
    result: "void",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** Cuts crops with native/image/crop.cpp: the pixels of `warpCrop()` and `meanColor()`, sooner. */
export class NativeCrops {
  readonly #library: Library<typeof symbols>;

  /** @param file Path of the library, from `nativeImageLibrary()`. */
  constructor(file: string) {
    const remedy = 'build it again with "deno task build"';
    this.#library = openLibrary(
      { name: "the native image library", files: [file], remedy },
      symbols,
    );
  }

  /** `meanColor()`. */
  meanColor({ width, height, data }: Image): Color {
    const mean = new Float64Array(3);
    this.#library().siamban_image_mean(data as Uint8Array<ArrayBuffer>, width * height, mean);
    return [mean[0], mean[1], mean[2]];
  }

  /**
   * `warpCrop()`.
   *
   * @throws {RangeError} If the box has no positive, finite size.
   */
  warpCrop(image: Image, box: Corner, { size, border = [0, 0, 0] }: WarpOptions): Image {
    checkBox(box);
    const out = createImage(size, size);
    const { x1, y1, x2, y2 } = box;
    const fill = border.map((value) => Math.min(255, Math.max(0, roundHalfEven(value))));
    this.#library().siamban_image_crop(
      image.data as Uint8Array<ArrayBuffer>,
      image.width,
      image.height,
      Float64Array.of(x1, y1, x2, y2),
      size,
      Uint8Array.from(fill),
      out.data as Uint8Array<ArrayBuffer>,
    );
    return out;
  }
}
