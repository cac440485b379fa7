/**
 * How much of an image a crop takes in. The rule is SiamFC's (arXiv:1606.09549, section 3.2): a
 * target of `w` x `h` gets the margin `(w + h) / 2`, and the square of the same area becomes the
 * exemplar. Preparation, dataset and tracker each round in their own way; here they stand together.
 *
 * @module
 */
import { type Center, centerToCorner, type Corner, cornerToCenter, type Size } from "./boxes.ts";
import { roundHalfEven } from "./rounding.ts";

/** What the crops below share; the defaults are the published ones. */
export interface ContextOptions {
  /** Margin as a part of `w + h`; 0.5. */
  readonly contextAmount?: number;
  /** Side of the exemplar (template) image; 127. */
  readonly exemplarSize?: number;
  /** Side of the search image; 511 in prepared data, 255 in training and tracking. */
  readonly searchSize?: number;
}

/**
 * Side of the square, in image pixels, that becomes the exemplar:
 * `s_z = sqrt((w + c (w + h)) (h + c (w + h)))`. Not rounded.
 */
export function exemplarContext({ w, h }: Size, contextAmount = 0.5): number {
  const margin = contextAmount * (w + h);
  return Math.sqrt((w + margin) * (h + margin));
}

/** The squares that preparation cuts out of a frame, with their sides. Not rounded. */
export interface CropBoxes {
  readonly exemplar: Corner;
  readonly search: Corner;
  /** Side `s_z` of the exemplar square. */
  readonly exemplarSide: number;
  /** Side `s_x` of the search square, `s_z * searchSize / exemplarSize`. */
  readonly searchSide: number;
}

/**
 * The exemplar and search squares around a target (`crop_like_SiamFC` of
 * training_dataset/got_10k/par_crop.py and its five copies). Nothing is rounded; a square may reach beyond the image.
 *
 * @param target The target's box in image pixels.
 */
export function cropBoxes(target: Corner, options: ContextOptions = {}): CropBoxes {
  const { contextAmount = 0.5, exemplarSize = 127, searchSize = 511 } = options;
  const { w, h } = cornerToCenter(target);
  const x = (target.x2 + target.x1) / 2, y = (target.y2 + target.y1) / 2;
  const exemplarSide = exemplarContext({ w, h }, contextAmount);
  // Written as scale and padding, like the reference, so that the last bit agrees too.
  const padding = (searchSize - exemplarSize) / 2 / (exemplarSize / exemplarSide);
  const searchSide = exemplarSide + 2 * padding;
  return {
    exemplar: square(x, y, exemplarSide),
    search: square(x, y, searchSide),
    exemplarSide,
    searchSide,
  };
}

function square(x: number, y: number, side: number): Corner {
  return { x1: x - side / 2, y1: y - side / 2, x2: x + side / 2, y2: y + side / 2 };
}

/**
 * The target's box inside a prepared crop (`_get_bbox` of siamban/datasets/dataset.py): its size at
 * the scale at which the exemplar square is `exemplarSize` pixels, around the pixel
 * `(floor(W / 2), floor(H / 2))`. Only that centre is rounded.
 *
 * @param crop Width and height of the prepared image, in pixels.
 * @param target Width and height of the target in the original frame, in any unit.
 */
export function targetInCrop(crop: Size, target: Size, options: ContextOptions = {}): Corner {
  const { contextAmount = 0.5, exemplarSize = 127 } = options;
  const scale = exemplarSize / exemplarContext(target, contextAmount);
  return centerToCorner({
    cx: Math.floor(crop.w / 2),
    cy: Math.floor(crop.h / 2),
    w: target.w * scale,
    h: target.h * scale,
  });
}

/**
 * Side of the tracker's template square, an integer: `s_z` rounded, halves to even
 * (siamban/tracker/siamban_tracker.py, `init`).
 *
 * @param target Size of the target in image pixels.
 */
export function trackerTemplateSide(target: Size, contextAmount = 0.5): number {
  return roundHalfEven(exemplarContext(target, contextAmount));
}

/** Scale and side of the tracker's search square. */
export interface TrackerSearch {
  /** Search-image pixels an image pixel: `exemplarSize / s_z`, from the unrounded `s_z`. */
  readonly scale: number;
  /** Side in image pixels, an integer: `s_z * (searchSize / exemplarSize)` rounded half to even. */
  readonly side: number;
}

/**
 * The tracker's search square around a target (siamban/tracker/siamban_tracker.py, `track`).
 *
 * Parity: the scale comes from the unrounded `s_z`, although the square that is cut has a rounded
 * side, so boxes are off by up to half a pixel in `s_x`.
 *
 * @param target Size of the target in image pixels.
 */
export function trackerSearch(target: Size, options: ContextOptions = {}): TrackerSearch {
  const { contextAmount = 0.5, exemplarSize = 127, searchSize = 255 } = options;
  const side = exemplarContext(target, contextAmount);
  return {
    scale: exemplarSize / side,
    side: roundHalfEven(side * (searchSize / exemplarSize)),
  };
}

/** A box clipped to `bounds`: the centre into the image, the size to 10 px .. the image's size. */
export function clipToImage(box: Center, bounds: Size, minimumSize = 10): Center {
  return {
    cx: Math.max(0, Math.min(box.cx, bounds.w)),
    cy: Math.max(0, Math.min(box.cy, bounds.h)),
    w: Math.max(minimumSize, Math.min(box.w, bounds.w)),
    h: Math.max(minimumSize, Math.min(box.h, bounds.h)),
  };
}
