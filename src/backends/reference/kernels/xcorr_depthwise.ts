import { XcorrDepthwise, xcorrOutputShape } from "../../../ops/xcorr_depthwise.ts";
import type { ReferenceBackend } from "../backend.ts";
import { depthwiseForward } from "./depthwise.ts";
import { tapPixels } from "./windows.ts";

/** A depthwise convolution whose filters are each image's own: z is already `[B, taps, C]`. */
export const xcorrDepthwiseReference = XcorrDepthwise.kernel(
  "reference",
  (backend: ReferenceBackend, { x, z }, { padding, flip }) => {
    const [batch, height, width, channels] = x.shape;
    const [, kernelHeight, kernelWidth] = z.shape;
    const shape = xcorrOutputShape(x.shape, z.shape, padding);
    const [, outHeight, outWidth] = shape;
    const taps = kernelHeight * kernelWidth;
    const pixels = tapPixels({
      height,
      width,
      kernelHeight,
      kernelWidth,
      outHeight,
      outWidth,
      stride: 1,
      padding,
      dilation: 1,
    });
    const positions = outHeight * outWidth;
    const y = backend.empty(shape);
    depthwiseForward(
      backend.floats(y),
      backend.floats(x),
      backend.floats(z),
      {
        batch,
        pixels: height * width,
        positions,
        channels,
        taps,
        tapPixels: flip ? turned(pixels, taps) : pixels,
      },
    );
    return y;
  },
);

/** The tap table of filters turned by 180 degrees: each window's taps in reverse. */
function turned(tapPixels: Int32Array, taps: number): Int32Array {
  const result = tapPixels.slice();
  for (let at = 0; at < result.length; at += taps) result.subarray(at, at + taps).reverse();
  return result;
}
