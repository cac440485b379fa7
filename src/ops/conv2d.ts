import type { Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import { defineOp } from "./define_op.ts";

/** Geometry of a convolution; the same in both directions, as in every network here. */
export interface ConvGeometry {
  readonly stride: number;
  /** Zeros on each side. */
  readonly padding: number;
  /** Distance between taps; 1 is dense. */
  readonly dilation: number;
  /** Channel groups; equal to the channels for a depthwise convolution. */
  readonly groups: number;
}

/** Fields of {@linkcode ConvGeometry} that may be left out: stride 1, no padding, dense, one group. */
export type ConvOptions = Partial<ConvGeometry>;

/** Inputs: `x` `[B, H, W, C]`, `weight` `[O, kh, kw, C / groups]`, `bias` `[O]` or none. Output: y. */
export const Conv2d = defineOp<
  { x: Tensor4D; weight: Tensor4D; bias: Tensor1D | undefined },
  ConvGeometry
>({
  name: "SiambanConv2d",
  save: { inputs: ["x", "weight"] },
  gradient: ([dy], { inputs: { x, weight } }, geometry) => ({
    x: () =>
      Conv2dBackwardInput.run(
        { dy: dy as Tensor4D, weight },
        { ...geometry, height: x.shape[1], width: x.shape[2] },
      ),
    weight: () =>
      Conv2dBackwardWeight.run(
        { dy: dy as Tensor4D, x },
        { ...geometry, kernelHeight: weight.shape[1], kernelWidth: weight.shape[2] },
      ),
    bias: () => ChannelSum.run({ x: dy as Tensor4D }, {}),
  }),
});

/** Inputs: `dy` `[B, Ho, Wo, O]`, `weight`. Output: dx `[B, height, width, C]`. */
export const Conv2dBackwardInput = defineOp<
  { dy: Tensor4D; weight: Tensor4D },
  ConvGeometry & { readonly height: number; readonly width: number }
>({ name: "SiambanConv2dBackwardInput" });

/** Inputs: `dy` `[B, Ho, Wo, O]`, `x`. Output: dweight `[O, kernelHeight, kernelWidth, C / groups]`. */
export const Conv2dBackwardWeight = defineOp<
  { dy: Tensor4D; x: Tensor4D },
  ConvGeometry & { readonly kernelHeight: number; readonly kernelWidth: number }
>({ name: "SiambanConv2dBackwardWeight" });

/** Input: `x` `[B, H, W, C]`. Output: the sum over all but channels, `[C]` (a bias's gradient). */
export const ChannelSum = defineOp<{ x: Tensor4D }, Record<string, never>>({
  name: "SiambanChannelSum",
});

/**
 * Convolves (cross-correlates) an image batch with a bank of filters. Unlike tfjs's own op it is
 * differentiable with dilation and knows groups.
 *
 * @param x `[B, H, W, C]`.
 * @param weight Filters, `[O, kh, kw, C / groups]`.
 * @returns `[B, Ho, Wo, O]`, see {@linkcode convOutputSize}.
 * @throws {RangeError} If the channels do not fit, or the filter is larger than the padded input.
 */
export function conv2d(
  x: Tensor4D,
  weight: Tensor4D,
  options: ConvOptions & { readonly bias?: Tensor1D } = {},
): Tensor4D {
  const { bias, ...geometry } = options;
  const complete = convGeometry(geometry);
  convOutputShape(x.shape, weight.shape, complete);
  return Conv2d.run({ x, weight, bias }, complete);
}

/** Fills in what {@linkcode ConvOptions} leaves out. */
export function convGeometry(options: ConvOptions): ConvGeometry {
  return { stride: 1, padding: 0, dilation: 1, groups: 1, ...options };
}

/** Output length of a convolution or pooling: floor((size + 2p − d(k − 1) − 1) / s) + 1. */
export function convOutputSize(
  size: number,
  kernel: number,
  { stride, padding, dilation }: Omit<ConvGeometry, "groups">,
): number {
  return Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
}

/**
 * Output shape `[B, Ho, Wo, O]` of a convolution.
 *
 * @throws {RangeError} As {@linkcode conv2d}.
 */
export function convOutputShape(
  x: readonly number[],
  weight: readonly number[],
  geometry: ConvGeometry,
): [number, number, number, number] {
  const [batch, height, width, channels] = x;
  const [out, kernelHeight, kernelWidth, groupChannels] = weight;
  const { groups } = geometry;
  if (groupChannels * groups !== channels || out % groups !== 0) {
    throw new RangeError(
      `Cannot convolve: input is [${x}] and weight is [${weight}] with ${groups} groups, ` +
        `expected ${groupChannels * groups} input channels and a multiple of ${groups} filters`,
    );
  }
  const outHeight = convOutputSize(height, kernelHeight, geometry);
  const outWidth = convOutputSize(width, kernelWidth, geometry);
  if (outHeight < 1 || outWidth < 1) {
    throw new RangeError(
      `Cannot convolve: input is [${x}], expected at least the extent of the filter [${weight}] ` +
        `with dilation ${geometry.dilation} and padding ${geometry.padding}`,
    );
  }
  return [batch, outHeight, outWidth, out];
}
