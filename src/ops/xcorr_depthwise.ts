import type { Tensor4D } from "@tensorflow/tfjs";
import { defineOp, type Op } from "./define_op.ts";

/** Attributes of {@linkcode XcorrDepthwise}. */
export interface XcorrAttributes {
  /** Zeros around `x` on each side. */
  readonly padding: number;
  /** Turns `z` by 180 degrees, which makes the correlation a convolution. */
  readonly flip: boolean;
}

/** Search and template features, `[B, H, W, C]` each. */
type Inputs = { x: Tensor4D; z: Tensor4D };

/**
 * `y[b, i, j, c] = Σ_uv x[b, i + u − p, j + v − p, c] · z[b, u, v, c]`, with z turned where `flip` is set.
 *
 * Correlation is closed under differentiation, so backward needs no kernel of its own: dx is dy
 * convolved with z, padded to the full size, and dz is x correlated with dy.
 */
export const XcorrDepthwise: Op<Inputs, XcorrAttributes> = defineOp<Inputs, XcorrAttributes>({
  name: "SiambanXcorrDepthwise",
  save: { inputs: ["x", "z"] },
  gradient: ([dy], { inputs: { x, z } }, { padding, flip }) => {
    if (flip) {
      throw new Error("Cannot differentiate XcorrDepthwise with flip: it is the backward pass");
    }
    return {
      x: () =>
        XcorrDepthwise.run(
          { x: dy as Tensor4D, z },
          { padding: z.shape[1] - 1 - padding, flip: true },
        ),
      z: () => XcorrDepthwise.run({ x, z: dy as Tensor4D }, { padding, flip: false }),
    };
  },
});

/**
 * Correlates search features with template features, channel by channel (SiamRPN++,
 * arXiv:1812.11703, section 3.3).
 *
 * @param x Search features, `[B, Hx, Wx, C]`.
 * @param z Template features, `[B, Hz, Wz, C]`, square.
 * @returns Response, `[B, Hx + 2p − Hz + 1, Wx + 2p − Wz + 1, C]`.
 * @throws {RangeError} If `x` and `z` differ in batch or channels, or `z` is not square or too large.
 *
 * @example The 25 x 25 response of SiamBAN
 * ```ts
 * import { ones } from "@tensorflow/tfjs";
 * import { useBackend, xcorrDepthwise } from "siamban";
 * import { assertEquals } from "@std/assert";
 *
 * await using _ = await useBackend("reference");
 * const response = xcorrDepthwise(ones([1, 29, 29, 8]), ones([1, 5, 5, 8]));
 * assertEquals(response.shape, [1, 25, 25, 8]);
 * ```
 */
export function xcorrDepthwise(
  x: Tensor4D,
  z: Tensor4D,
  { padding = 0 }: { readonly padding?: number } = {},
): Tensor4D {
  if (z.shape[1] !== z.shape[2] || padding >= z.shape[1]) {
    throw new RangeError(
      `Cannot correlate: template is [${z.shape}], expected a square one larger than the padding ${padding}`,
    );
  }
  xcorrOutputShape(x.shape, z.shape, padding);
  return XcorrDepthwise.run({ x, z }, { padding, flip: false });
}

/**
 * Output shape of {@linkcode xcorrDepthwise}.
 *
 * @throws {RangeError} If `x` and `z` do not fit.
 */
export function xcorrOutputShape(
  x: readonly number[],
  z: readonly number[],
  padding: number,
): [number, number, number, number] {
  const height = x[1] + 2 * padding - z[1] + 1;
  const width = x[2] + 2 * padding - z[2] + 1;
  if (x[0] !== z[0] || x[3] !== z[3] || height < 1 || width < 1) {
    throw new RangeError(
      `Cannot correlate: search is [${x}] and template is [${z}], expected equal batch and channels ` +
        `and a template no larger than the search`,
    );
  }
  return [x[0], height, width, x[3]];
}
