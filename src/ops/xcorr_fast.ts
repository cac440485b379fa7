import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { conv2d } from "./conv2d.ts";

/**
 * Correlates search features with `O` templates an image over all channels at once ("fast" and
 * up-channel correlation of SiamRPN; siamban/core/xcorr.py `xcorr_fast`; with `O` = 1 its `xcorr_slow`).
 *
 * Each image has filters of its own, so this is one convolution an image; both gradients follow.
 *
 * @param x Search features, `[B, Hx, Wx, C]`.
 * @param z Template features, `[B, Hz, Wz, O * C]`; channel `o * C + c` is channel `c` of filter `o`.
 * @returns Response, `[B, Hx - Hz + 1, Wx - Wz + 1, O]`.
 * @throws {RangeError} If the batches differ or the channels of `z` are no multiple of `C`.
 */
export function xcorrFast(x: Tensor4D, z: Tensor4D): Tensor4D {
  const [batch, height, width, filters] = z.shape;
  const channels = x.shape[3];
  if (x.shape[0] !== batch || filters % channels !== 0) {
    throw new RangeError(
      `Cannot correlate: search is [${x.shape}] and template is [${z.shape}], expected equal batch ` +
        `and a multiple of ${channels} template channels`,
    );
  }
  return tf.tidy(() => {
    const weights = z.reshape([batch, height, width, filters / channels, channels])
      .transpose([0, 3, 1, 2, 4]);
    const responses = Array.from({ length: batch }, (_, b) => {
      const image = x.slice([b, 0, 0, 0], [1, -1, -1, -1]);
      const weight = weights.slice([b, 0, 0, 0, 0], [1, -1, -1, -1, -1]).squeeze<Tensor4D>([0]);
      return conv2d(image, weight);
    });
    return tf.concat(responses, 0);
  });
}
