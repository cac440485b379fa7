import type { Corner } from "../geometry/boxes.ts";
import { cropBoxes, targetInCrop } from "../geometry/context.ts";
import { encodeJpeg } from "../image/encode.ts";
import { type Color, type Image, meanColor } from "../image/image.ts";
import { warpCrop } from "../image/warp.ts";

/** How crops are cut and written; the defaults are the published ones. */
export interface CropSettings {
  /** Side of a search crop in pixels. */
  readonly searchSize: number;
  /** Side of a template crop in pixels; it sets the scale of both. */
  readonly exemplarSize: number;
  /** Margin around the target, as a part of its width plus height. */
  readonly contextAmount: number;
  /** JPEG quality, 1..100. */
  readonly quality: number;
}

export const CROP_SETTINGS: CropSettings = {
  searchSize: 511,
  exemplarSize: 127,
  contextAmount: 0.5,
  quality: 95,
};

/** A crop and where the target is in it. */
export interface TargetCrop {
  readonly image: Image;
  readonly box: Corner;
}

/**
 * Cuts the square around a target out of a frame, at the scale that training expects; what lies
 * beyond the frame gets the frame's mean colour (`crop_like_SiamFC` of
 * training_dataset/got_10k/par_crop.py).
 *
 * @param box The target in pixels of `frame`; it must have an area.
 * @param options.kind `search` (511 x 511), or `template` (127 x 127) at the same scale.
 * @param options.border The frame's mean colour, if it is known already.
 */
export function cropTarget(
  frame: Image,
  box: Corner,
  options: Partial<CropSettings> & { kind?: "search" | "template"; border?: Color } = {},
): TargetCrop {
  const { kind = "search", border = meanColor(frame), ...rest } = options;
  const settings = { ...CROP_SETTINGS, ...rest };
  const squares = cropBoxes(box, settings);
  const size = kind === "search" ? settings.searchSize : settings.exemplarSize;
  const square = kind === "search" ? squares.search : squares.exemplar;
  return {
    image: warpCrop(frame, square, { size, border }),
    box: targetInCrop({ w: size, h: size }, { w: box.x2 - box.x1, h: box.y2 - box.y1 }, settings),
  };
}

/** The JPEG file of a crop; byte-equal to what the published scripts write. */
export function encodeCrop({ image }: TargetCrop, quality: number = CROP_SETTINGS.quality) {
  return encodeJpeg(image, quality);
}
