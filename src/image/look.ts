import type { Corner } from "../geometry/boxes.ts";
import { blurAndSubtract, blurCross, type BlurOptions } from "./blur.ts";
import { flipHorizontal, subtractColor, toGray } from "./color.ts";
import type { Color, Image } from "./image.ts";
import { warpCrop } from "./warp.ts";

/** Which part of a picture becomes a training image, and how its pixels are varied. */
export interface Look {
  /** In pixels of the picture; may reach beyond it, and need not be square. */
  readonly window: Corner;
  /** Side of the result in pixels. */
  readonly size: number;
  /** Whether the picture loses its colours. */
  readonly gray: boolean;
  /** Taken away from each pixel, which is neither clipped nor rounded then. */
  readonly color?: Color;
  readonly blur?: BlurOptions;
  /** Whether left and right change places. */
  readonly flip: boolean;
}

/**
 * Makes a training image: gray, window, colour, blur, flip, in the order of the reference
 * (`Augmentation.__call__` of siamban/datasets/augmentation.py).
 *
 * Parity: the reference blurs what the colour is already taken away from; here it is taken away
 * behind the blur, which is the same but for rounding, because the weights of the blur add up to 1.
 *
 * @returns Bytes without `color`, floating-point numbers with it, `[size, size, 3]`.
 */
export function renderLook(image: Image, look: Look): Image<Uint8Array | Float32Array> {
  const { window, size, gray, color, blur, flip } = look;
  const cut = warpCrop(gray ? toGray(image) : image, window, { size });
  const varied = vary(cut, color, blur);
  return flip ? flipHorizontal(varied) : varied;
}

function vary(
  cut: Image,
  color: Color | undefined,
  blur: BlurOptions | undefined,
): Image<Uint8Array | Float32Array> {
  if (color && blur) return blurAndSubtract(cut, blur, color);
  if (color) return subtractColor(cut, color);
  return blur ? blurCross(cut, blur) : cut;
}
