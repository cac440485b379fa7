import * as tf from "@tensorflow/tfjs";
import type { Rank, Tensor4D } from "@tensorflow/tfjs";
import {
  activate,
  type AnyActivationKind,
  conv2d,
  type ConvGeometry,
  foldedConv2d,
  isRecording,
} from "../ops/mod.ts";
import type { BatchNorm2d } from "./batch_norm2d.ts";
import type { Parameter } from "./parameter.ts";

/** What convolves in {@linkcode convBlock}. */
export interface Convolution {
  /** Filters, `[out, kernel, kernel, in / groups]`. */
  readonly weight: Parameter<Rank.R4>;
  /** `[out]`. */
  readonly bias?: Parameter<Rank.R1>;
  readonly geometry: ConvGeometry;
}

/** What follows a convolution in {@linkcode convBlock}. */
export interface ConvBlockOptions {
  readonly norm?: BatchNorm2d;
  /** Added after the norm, of the output's shape. */
  readonly residual?: Tensor4D;
  /** Applied last; default none. */
  readonly activation?: AnyActivationKind;
}

/**
 * Convolves, normalises, adds a residual and activates: the one place that decides between op by op and
 * all in one. What needs a gradient or the batch's statistics goes op by op; all else runs folded.
 *
 * @param x `[B, H, W, in]`.
 * @returns `[B, Ho, Wo, out]`.
 */
export function convBlock(
  x: Tensor4D,
  conv: Convolution,
  { norm, residual, activation = "none" }: ConvBlockOptions = {},
): Tensor4D {
  const weight = conv.weight.tensor;
  const bias = conv.bias?.tensor;
  if (!isRecording() && !norm?.training) {
    return foldedConv2d(x, weight, {
      ...conv.geometry,
      bias,
      norm: norm?.tensors,
      residual,
      activation,
      epsilon: norm?.epsilon ?? 0,
    });
  }
  return tf.tidy(() => {
    const y = conv2d(x, weight, { ...conv.geometry, bias });
    if (!norm) return activate(residual ? y.add(residual) : y, activation);
    return activation === "hard_swish"
      ? activate(norm.forward(y, { residual }), activation)
      : norm.forward(y, { residual, activation });
  });
}
