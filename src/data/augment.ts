import { centerToCorner, type Corner, cornerToCenter } from "../geometry/boxes.ts";
import type { BlurOptions } from "../image/blur.ts";
import { colorOffset, flipBox } from "../image/color.ts";
import type { Image } from "../image/image.ts";
import { type Look, renderLook } from "../image/look.ts";
import type { Rng } from "../random.ts";

/** How strongly an image is varied (DATASET.TEMPLATE and DATASET.SEARCH). */
export interface AugmentationSettings {
  /** Largest shift in pixels, to each side. */
  readonly shift: number;
  /** Largest relative change of width and of height. */
  readonly scale: number;
  /** Probabilities. */
  readonly blur: number;
  readonly flip: number;
  readonly color: number;
}

/** Where augmentation takes its random numbers; {@linkcode Rng} is one. */
export type Draws = Pick<Rng, "uniform" | "normal" | "integer">;

/** A varied image and where the target is in it. */
export interface Augmented {
  readonly image: Image<Uint8Array | Float32Array>;
  readonly box: Corner;
}

/** Sizes of the blur: 5, 7, … 45 pixels. */
const BLUR_SIZES = { first: 5, step: 2, count: 21 };

/** What {@linkcode augment} makes, and of what. */
export interface AugmentOptions {
  /** Side of the result in pixels. */
  readonly size: number;
  /** Whether the picture loses its colours; false. */
  readonly gray?: boolean;
  readonly settings: AugmentationSettings;
  readonly draws: Draws;
}

/**
 * Cuts the training image out of a prepared crop and varies it: gray, shift and scale, colour,
 * blur, flip (`Augmentation.__call__` of siamban/datasets/augmentation.py).
 *
 * @param crop The prepared picture, 511 x 511, the target in its middle.
 * @param box The target in it.
 */
export function augment(crop: Image, box: Corner, options: AugmentOptions): Augmented {
  const { look, box: moved } = drawLook(crop, box, options);
  return { image: renderLook(crop, look), box: moved };
}

/**
 * Draws how {@linkcode augment} varies a picture of that size, and says where the target is then.
 *
 * Parity: draws come in the reference's order, one for each probability even if it is 0, except
 * the flip's.
 */
export function drawLook(
  crop: { readonly width: number; readonly height: number },
  box: Corner,
  { size, gray = false, settings, draws }: AugmentOptions,
): { look: Look; box: Corner } {
  // Parity: the centre is that of the rows for both axes, which are equal in prepared crops.
  const middle = Math.floor(crop.height / 2);
  const window = centerToCorner({ cx: middle, cy: middle, w: size - 1, h: size - 1 });
  const moved = shiftAndScale({ crop, box, window }, settings, draws);
  const color = settings.color > draws.uniform()
    ? colorOffset([draws.normal(), draws.normal(), draws.normal()])
    : undefined;
  let blur: BlurOptions | undefined;
  if (settings.blur > draws.uniform()) {
    const blurSize = BLUR_SIZES.first + BLUR_SIZES.step * draws.integer(BLUR_SIZES.count);
    blur = { size: blurSize, verticalShare: draws.uniform() };
  }
  const flip = settings.flip > 0 && settings.flip > draws.uniform();
  return {
    look: { window: moved.window, size, gray, color, blur, flip },
    box: flip ? flipBox(moved.box, size) : moved.box,
  };
}

/**
 * Moves and stretches the window that is cut out, inside the picture, and says where the target is
 * in what was cut (`_shift_scale_aug`).
 *
 * @returns The window in pixels of the crop, and the target in pixels of the result.
 */
export function shiftAndScale(
  { crop, box, window }: { crop: { width: number; height: number }; box: Corner; window: Corner },
  { shift, scale }: Pick<AugmentationSettings, "shift" | "scale">,
  draws: Pick<Draws, "uniform">,
): { window: Corner; box: Corner } {
  const symmetric = () => draws.uniform() * 2 - 1;
  const { cx, cy, w, h } = cornerToCenter(window);
  let scaleX = 1, scaleY = 1;
  if (scale > 0) {
    scaleX = 1 + symmetric() * scale;
    scaleY = 1 + symmetric() * scale;
    scaleX = Math.min(scaleX, crop.width / w);
    scaleY = Math.min(scaleY, crop.height / h);
  }
  let { x1, y1, x2, y2 } = centerToCorner({ cx, cy, w: w * scaleX, h: h * scaleY });
  if (shift > 0) {
    const sx = symmetric() * shift, sy = symmetric() * shift;
    const dx = Math.max(-x1, Math.min(crop.width - 1 - x2, sx));
    const dy = Math.max(-y1, Math.min(crop.height - 1 - y2, sy));
    [x1, y1, x2, y2] = [x1 + dx, y1 + dy, x2 + dx, y2 + dy];
  }
  return {
    window: { x1, y1, x2, y2 },
    box: {
      x1: (box.x1 - x1) / scaleX,
      y1: (box.y1 - y1) / scaleY,
      x2: (box.x2 - x1) / scaleX,
      y2: (box.y2 - y1) / scaleY,
    },
  };
}
