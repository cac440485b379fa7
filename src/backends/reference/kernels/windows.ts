/** How a filter or pooling window moves over an image. */
export interface WindowGeometry {
  readonly height: number;
  readonly width: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
}

/**
 * Where each tap of each window falls: the pixel index `h * width + w`, or -1 in the padding.
 * Row-major `[outHeight * outWidth, kernelHeight * kernelWidth]`.
 */
export function tapPixels(geometry: WindowGeometry): Int32Array {
  const { height, width, kernelHeight, kernelWidth, outHeight, outWidth } = geometry;
  const { stride, padding, dilation } = geometry;
  const pixels = new Int32Array(outHeight * outWidth * kernelHeight * kernelWidth);
  let next = 0;
  for (let i = 0; i < outHeight; i++) {
    for (let j = 0; j < outWidth; j++) {
      for (let u = 0; u < kernelHeight; u++) {
        const h = i * stride - padding + u * dilation;
        for (let v = 0; v < kernelWidth; v++) {
          const w = j * stride - padding + v * dilation;
          const inside = h >= 0 && h < height && w >= 0 && w < width;
          pixels[next++] = inside ? h * width + w : -1;
        }
      }
    }
  }
  return pixels;
}
