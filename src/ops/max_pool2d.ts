import type { Tensor4D } from "@tensorflow/tfjs";
import { convOutputSize } from "./conv2d.ts";
import { defineOp } from "./define_op.ts";

/** Geometry of a pooling window, the same in both directions. */
export interface PoolGeometry {
  readonly kernel: number;
  readonly stride: number;
  /** Positions outside the image on each side; they never win. */
  readonly padding: number;
}

/** Input: `x` `[B, H, W, C]`. Output: y `[B, Ho, Wo, C]`. */
export const MaxPool2d = defineOp<{ x: Tensor4D }, PoolGeometry>({
  name: "SiambanMaxPool2d",
  save: { inputs: ["x"] },
  gradient: ([dy], { inputs: { x } }, attrs) => ({
    x: () => MaxPool2dBackward.run({ dy: dy as Tensor4D, x }, attrs),
  }),
});

/**
 * Inputs: `dy`, `x`. Output: dx `[B, H, W, C]`; of equal values in a window the first in row-major order
 * takes the gradient, as in PyTorch.
 */
export const MaxPool2dBackward = defineOp<{ dy: Tensor4D; x: Tensor4D }, PoolGeometry>({
  name: "SiambanMaxPool2dBackward",
});

/**
 * Takes the largest value of each window.
 *
 * @param x `[B, H, W, C]`.
 * @returns `[B, floor((H + 2p − k) / s) + 1, …, C]`.
 * @throws {RangeError} If the window is larger than the padded image.
 */
export function maxPool2d(x: Tensor4D, geometry: PoolGeometry): Tensor4D {
  poolOutputShape(x.shape, geometry);
  return MaxPool2d.run({ x }, geometry);
}

/** Output shape of {@linkcode maxPool2d}. */
export function poolOutputShape(
  [batch, height, width, channels]: readonly number[],
  { kernel, stride, padding }: PoolGeometry,
): [number, number, number, number] {
  const geometry = { stride, padding, dilation: 1 };
  const outHeight = convOutputSize(height, kernel, geometry);
  const outWidth = convOutputSize(width, kernel, geometry);
  if (outHeight < 1 || outWidth < 1) {
    throw new RangeError(
      `Cannot pool: input is ${height} x ${width}, expected at least the window of ${kernel}`,
    );
  }
  return [batch, outHeight, outWidth, channels];
}
