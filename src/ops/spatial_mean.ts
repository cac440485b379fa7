import type { Tensor4D } from "@tensorflow/tfjs";
import { defineOp } from "./define_op.ts";

/** Input: `x` `[B, H, W, C]`. Output: the mean over each map, `[B, 1, 1, C]`. */
export const SpatialMean = defineOp<
  { x: Tensor4D },
  { readonly height: number; readonly width: number }
>({
  name: "SiambanSpatialMean",
  gradient: ([dy], _saved, size) => ({
    x: () => SpatialMeanBackward.run({ dy: dy as Tensor4D }, size),
  }),
});

/** Input: `dy` `[B, 1, 1, C]`. Output: dy / (H · W) at every pixel, `[B, H, W, C]`. */
export const SpatialMeanBackward = defineOp<
  { dy: Tensor4D },
  { readonly height: number; readonly width: number }
>({ name: "SiambanSpatialMeanBackward" });

/**
 * The mean of each map (`nn.AdaptiveAvgPool2d(1)`).
 *
 * @param x `[B, H, W, C]`.
 * @returns `[B, 1, 1, C]`.
 */
export function spatialMean(x: Tensor4D): Tensor4D {
  const [, height, width] = x.shape;
  return SpatialMean.run({ x }, { height, width });
}
