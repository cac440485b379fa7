import type { Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import type { AnyActivationKind } from "./activation.ts";
import { type ConvGeometry, convOutputShape } from "./conv2d.ts";
import { defineOp } from "./define_op.ts";

/** Scale, shift and statistics of a batch norm, each `[C]`. */
export interface NormTensors {
  readonly weight: Tensor1D;
  readonly bias: Tensor1D;
  readonly runningMean: Tensor1D;
  readonly runningVar: Tensor1D;
}

/** Attributes of {@linkcode FoldedConv2d}. */
export interface FoldedConvAttributes extends ConvGeometry {
  readonly activation: AnyActivationKind;
  /** Added to the variance. */
  readonly epsilon: number;
}

/**
 * `activation(norm(conv(x)) + residual)` with the norm's running statistics, in one pass. Not
 * differentiable: it is for inference and for the frozen parts in front of a trained network.
 *
 * A kernel folds the norm into the weight, w' = w · γ / √(σ² + ε), b' = (bias − μ) · γ / √(σ² + ε) + β, and may
 * keep the folded weight as long as none of the tensors' versions changes. All four norm inputs
 * are present, or none.
 */
export const FoldedConv2d = defineOp<
  {
    x: Tensor4D;
    weight: Tensor4D;
    bias: Tensor1D | undefined;
    normWeight: Tensor1D | undefined;
    normBias: Tensor1D | undefined;
    runningMean: Tensor1D | undefined;
    runningVar: Tensor1D | undefined;
    residual: Tensor4D | undefined;
  },
  FoldedConvAttributes
>({ name: "SiambanFoldedConv2d" });

/**
 * Convolves, normalises with running statistics, adds a residual and activates, unrecorded.
 *
 * @param x `[B, H, W, C]`.
 * @param weight `[O, kh, kw, C / groups]`.
 * @returns `[B, Ho, Wo, O]`.
 * @throws {RangeError} If shapes do not fit.
 */
export function foldedConv2d(
  x: Tensor4D,
  weight: Tensor4D,
  options: FoldedConvAttributes & {
    readonly bias?: Tensor1D;
    readonly norm?: NormTensors;
    readonly residual?: Tensor4D;
  },
): Tensor4D {
  const { bias, norm, residual, ...attributes } = options;
  const shape = convOutputShape(x.shape, weight.shape, attributes);
  const reach = attributes.dilation * (Math.min(weight.shape[1], weight.shape[2]) - 1);
  if (attributes.padding > reach) {
    throw new RangeError(
      `Cannot convolve: padding is ${attributes.padding}, expected at most ${reach}, the reach of the ` +
        `filter [${weight.shape}], so that no window lies outside of the image`,
    );
  }
  if (residual && residual.shape.some((size, axis) => size !== shape[axis])) {
    throw new RangeError(
      `Cannot add a residual: its shape is [${residual.shape}], expected [${shape}]`,
    );
  }
  return FoldedConv2d.run({
    x,
    weight,
    bias,
    normWeight: norm?.weight,
    normBias: norm?.bias,
    runningMean: norm?.runningMean,
    runningVar: norm?.runningVar,
    residual,
  }, attributes);
}
