import { type ConvGeometry, convOutputShape } from "../../src/ops/conv2d.ts";

/** Values with their shape, row-major. */
export interface Plain {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

/** The definition of a convolution, loop for loop: `[B, H, W, C]` by `[O, kh, kw, C / groups]`. */
export function plainConv2d(x: Plain, weight: Plain, geometry: ConvGeometry): Float64Array {
  const [batch, outHeight, outWidth, filters] = convOutputShape(x.shape, weight.shape, geometry);
  const [, height, width, channels] = x.shape;
  const [, kernelHeight, kernelWidth, groupChannels] = weight.shape;
  const { stride, padding, dilation, groups } = geometry;
  const y = new Float64Array(batch * outHeight * outWidth * filters);
  let next = 0;
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++) {
        for (let o = 0; o < filters; o++) {
          const firstChannel = Math.floor(o / (filters / groups)) * groupChannels;
          let sum = 0;
          for (let u = 0; u < kernelHeight; u++) {
            for (let v = 0; v < kernelWidth; v++) {
              const h = i * stride - padding + u * dilation;
              const w = j * stride - padding + v * dilation;
              if (h < 0 || h >= height || w < 0 || w >= width) continue;
              const pixel = ((b * height + h) * width + w) * channels + firstChannel;
              const tap = ((o * kernelHeight + u) * kernelWidth + v) * groupChannels;
              for (let c = 0; c < groupChannels; c++) {
                sum += x.values[pixel + c] * weight.values[tap + c];
              }
            }
          }
          y[next++] = sum;
        }
      }
    }
  }
  return y;
}
