import type { Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import type { ConvOptions } from "../../src/ops/conv2d.ts";
import type { Rng } from "../../src/random.ts";
import { choose, randomTensor } from "./random_tensors.ts";

/** A convolution to try: its tensors and options fit each other. */
export interface RandomConvolution {
  readonly x: Tensor4D;
  readonly weight: Tensor4D;
  readonly bias: Tensor1D;
  readonly options: ConvOptions;
}

/**
 * Draws a convolution: batch 1 to 9, odd and even sizes, filters of 1 to 7, every stride, dilation and
 * grouping of the networks here.
 */
export function randomConvolution(rng: Rng): RandomConvolution {
  const kernelHeight = choose(rng, 1, 1, 2, 3, 3, 3, 5, 7);
  const kernelWidth = choose(rng, kernelHeight, kernelHeight, kernelHeight, 3);
  const dilation = choose(rng, 1, 1, 2, 4);
  const stride = choose(rng, 1, 1, 2, 3);
  // Less than the filter's extent: no network has windows that lie wholly in the padding.
  const padding = Math.min(
    choose(rng, 0, 1, dilation, Math.floor(kernelHeight / 2) * dilation),
    dilation * (Math.min(kernelHeight, kernelWidth) - 1),
  );
  const groups = choose(rng, 1, 1, 1, 2, 4, 8);
  const depthwise = groups > 1 && rng.uniform() < 0.5;
  const groupChannels = depthwise ? 1 : 1 + rng.integer(9);
  const filters = depthwise ? groups : groups * (1 + rng.integer(9));
  const size = (kernel: number) => Math.max(1, dilation * (kernel - 1) + 1 - 2 * padding);
  const batch = 1 + rng.integer(9);
  const height = size(kernelHeight) + rng.integer(9);
  const width = size(kernelWidth) + rng.integer(9);
  return {
    x: randomTensor(rng, [batch, height, width, groups * groupChannels]),
    weight: randomTensor(rng, [filters, kernelHeight, kernelWidth, groupChannels]),
    bias: randomTensor<Tensor1D>(rng, [filters]),
    options: { stride, padding, dilation, groups },
  };
}
