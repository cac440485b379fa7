import type { Corner } from "../geometry/boxes.ts";
import { cropBoxes, targetInCrop } from "../geometry/context.ts";
import { encodeJpeg } from "../image/encode.ts";
import { type Color, createImage, type Image, meanColor } from "../image/image.ts";
import { roundHalfEven } from "../geometry/rounding.ts";
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
 * @param options.warp Cuts and scales; `warpCrop()`.
 * @param options.anyBox Cuts something even if the box has no area, as the published scripts do.
 */
export function cropTarget(
  frame: Image,
  box: Corner,
  options: Partial<CropSettings> & {
    readonly kind?: "search" | "template";
    readonly border?: Color;
    readonly anyBox?: boolean;
    readonly warp?: typeof warpCrop;
  } = {},
): TargetCrop {
  const { kind = "search", border = meanColor(frame), anyBox = false, warp = warpCrop, ...rest } =
    options;
  const settings = { ...CROP_SETTINGS, ...rest };
  const squares = cropBoxes(box, settings);
  const size = kind === "search" ? settings.searchSize : settings.exemplarSize;
  const square = kind === "search" ? squares.search : squares.exemplar;
  return {
    image: anyBox && !(squares.searchSide > 0)
      ? emptyCrop(frame, size, squares.searchSide === 0 ? border : undefined)
      : warp(frame, square, { size, border }),
    box: targetInCrop({ w: size, h: size }, { w: box.x2 - box.x1, h: box.y2 - box.y1 }, settings),
  };
}

/**
 * Parity: a square without a side shows nothing but border, and one whose side is no number shows
 * the frame's first pixel, because `cv2.warpAffine` takes infinity and NaN as they come.
 */
function emptyCrop({ data }: Image, size: number, border?: Color): Image {
  const color = border ? border.map(roundHalfEven) : data.subarray(0, 3);
  const crop = createImage(size, size);
  for (let i = 0; i < crop.data.length; i += 3) crop.data.set(color, i);
  return crop;
}

/** The JPEG file of a crop; byte-equal to what the published scripts write. */
export function encodeCrop({ image }: TargetCrop, quality: number = CROP_SETTINGS.quality) {
  return encodeJpeg(image, quality);
}
