import * as tf from "@tensorflow/tfjs";
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";

/**
 * Correlates search features with every position of the template over all channels (pixel-wise
 * correlation, Alpha-Refine, arXiv:2012.06815, section 3.2):
 * `y[b, i, j, p] = Σ_c x[b, i, j, c] · z[b, p, c]`, p counting template positions row by row.
 *
 * A product of matrices an image, whose gradients are such products, too.
 *
 * @param x Search features, `[B, Hx, Wx, C]`.
 * @param z Template features, `[B, Hz, Wz, C]`.
 * @returns Response, `[B, Hx, Wx, Hz * Wz]`.
 * @throws {RangeError} If `x` and `z` differ in batch or channels.
 */
export function xcorrPixelwise(x: Tensor4D, z: Tensor4D): Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const positions = z.shape[1] * z.shape[2];
  if (z.shape[0] !== batch || z.shape[3] !== channels) {
    throw new RangeError(
      `Cannot correlate: search is [${x.shape}] and template is [${z.shape}], expected equal batch ` +
        "and channels",
    );
  }
  return tf.tidy(() => {
    const pixels = x.reshape<Tensor3D>([batch, height * width, channels]);
    const filters = z.reshape<Tensor3D>([batch, positions, channels]);
    return tf.matMul(pixels, filters, false, true).reshape([batch, height, width, positions]);
  });
}
