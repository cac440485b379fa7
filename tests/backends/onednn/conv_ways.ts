import {
  conv2dBackwardInputOnednn,
  conv2dBackwardWeightOnednn,
  conv2dOnednn,
} from "../../../src/backends/onednn/kernels/conv2d.ts";
import { foldedConv2dOnednn } from "../../../src/backends/onednn/kernels/folded_conv2d.ts";
import type { ConvKernels } from "./conv_problems.ts";

/** The native kernels, whichever way they go. */
export const NATIVE: ConvKernels = {
  forward: conv2dOnednn,
  backwardInput: conv2dBackwardInputOnednn,
  backwardWeight: conv2dBackwardWeightOnednn,
  folded: foldedConv2dOnednn,
};

/**
 * Every way to convolve, and its largest error relative to the largest value, beside that of adding up in
 * float32.
 */
export const WAYS = {
  "two parts in matrix tiles": { options: { precision: "tf32", small: false }, error: 2e-5 },
  "three parts in matrix tiles": { options: { winograd: false, small: false }, error: 1e-6 },
  "Winograd's F(4 x 4, 3 x 3)": { options: { tiles: false, small: false }, error: 2e-5 },
  "kernels for small ones": { options: { tiles: false, winograd: false }, error: 1e-6 },
  "oneDNN": { options: { tiles: false, winograd: false, small: false }, error: 1e-6 },
} as const;
