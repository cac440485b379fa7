import type { Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import type { ActivationKind } from "./activation.ts";
import { defineOp } from "./define_op.ts";
import type { NormTensors } from "./folded_conv2d.ts";

/** Attributes of {@linkcode BatchNorm}. */
export interface BatchNormAttributes {
  /** Batch statistics, updating the running ones; else the running statistics as they are. */
  readonly training: boolean;
  /** Added to the variance. */
  readonly epsilon: number;
  /** Share of the batch's statistics in the updated running ones. */
  readonly momentum: number;
  /** Applied after the residual. */
  readonly activation: ActivationKind;
}

/**
 * `activation(γ (x − μ) / √(σ² + ε) + β + residual)`, per channel (Ioffe and Szegedy, arXiv:1502.03167).
 *
 * Inputs: `x` and `residual` `[B, H, W, C]`, the others `[C]`. Outputs: y, and μ and 1 / √(σ² + ε) as used, `[C]`.
 * In training the kernel updates `runningMean` and `runningVar` in place, r ← (1 − m) r + m s with the
 * unbiased variance (n / (n − 1)), and leaves those of a channel as they are where s is not finite,
 * so that one bad batch does not spoil a network.
 */
export const BatchNorm = defineOp<
  {
    x: Tensor4D;
    weight: Tensor1D;
    bias: Tensor1D;
    runningMean: Tensor1D;
    runningVar: Tensor1D;
    residual: Tensor4D | undefined;
  },
  BatchNormAttributes
>({
  name: "SiambanBatchNorm",
  save: { inputs: ["x", "weight"], outputs: [0, 1, 2] },
  gradient: ([dy], { inputs: { x, weight }, outputs: [y, mean, invStd] }, attrs) => {
    const [dx, dweight, dbias, dresidual] = BatchNormBackward.runAll({
      dy: dy as Tensor4D,
      x,
      y: y as Tensor4D,
      weight,
      mean: mean as Tensor1D,
      invStd: invStd as Tensor1D,
    }, attrs);
    return {
      x: () => dx,
      weight: () => dweight,
      bias: () => dbias,
      residual: () => dresidual,
    };
  },
});

/**
 * Inputs: `dy` and the forward pass's `x`, `y`, `weight`, and its outputs `mean`, `invStd`. Outputs: dx
 * `[B, H, W, C]`, dweight `[C]`, dbias `[C]`, and dresidual `[B, H, W, C]` = dy behind the activation. With `g` = dresidual,
 * x̂ = (x − μ) · invStd, n = B·H·W: dbias = Σg, dweight = Σ g·x̂, and dx = γ · invStd · (g − dbias / n − x̂ · dweight / n) in
 * training, γ · invStd · g else. With no activation a kernel may return dresidual sharing dy's data.
 */
export const BatchNormBackward = defineOp<
  {
    dy: Tensor4D;
    x: Tensor4D;
    y: Tensor4D;
    weight: Tensor1D;
    mean: Tensor1D;
    invStd: Tensor1D;
  },
  BatchNormAttributes
>({ name: "SiambanBatchNormBackward" });

/**
 * Normalises each channel, adds a residual, activates.
 *
 * @param x `[B, H, W, C]`.
 * @param norm Scale, shift and running statistics, `[C]` each; the statistics change in training.
 * @returns `[B, H, W, C]`.
 * @throws {RangeError} If the channels differ, or in training with a single value a channel.
 */
export function batchNorm(
  x: Tensor4D,
  norm: NormTensors,
  options: BatchNormAttributes & { readonly residual?: Tensor4D },
): Tensor4D {
  const { residual, ...attributes } = options;
  const [batch, height, width, channels] = x.shape;
  if (norm.weight.shape[0] !== channels) {
    throw new RangeError(
      `Cannot normalise: input is [${x.shape}], expected ${norm.weight.shape[0]} channels`,
    );
  }
  if (attributes.training && batch * height * width === 1) {
    throw new RangeError(
      `Cannot normalise: input is [${x.shape}], expected more than 1 value a channel in training`,
    );
  }
  const [y, mean, invStd] = BatchNorm.runAll({ x, ...norm, residual }, attributes);
  mean.dispose();
  invStd.dispose();
  return y as Tensor4D;
}
