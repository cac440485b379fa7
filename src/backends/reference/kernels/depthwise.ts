/**
 * One filter a channel. Filters are `[taps, C]` here, so that the inner loops run along channels.
 *
 * @module
 */

/** Sizes of a depthwise pass. */
export interface DepthwisePlan {
  readonly batch: number;
  /** Pixels of one input image, H · W. */
  readonly pixels: number;
  /** Pixels of one output image, Ho · Wo. */
  readonly positions: number;
  readonly channels: number;
  /** kh · kw. */
  readonly taps: number;
  /** `[positions, taps]`, see `tapPixels`. */
  readonly tapPixels: Int32Array;
}

/**
 * `y[b, p, c] = Σ_t x[b, pixel(p, t), c] · filter[t, c] + bias[c]`.
 *
 * @param filter `[taps, C]`, or `[B, taps, C]` for filters of each image's own.
 */
export function depthwiseForward(
  y: Float32Array,
  x: Float32Array,
  filter: ArrayLike<number>,
  plan: DepthwisePlan,
  bias?: Float32Array | Float64Array,
): void {
  const { batch, pixels, positions, channels, taps, tapPixels } = plan;
  const filterStride = filter.length > taps * channels ? taps * channels : 0;
  const sums = new Float64Array(channels);
  for (let b = 0; b < batch; b++) {
    for (let p = 0; p < positions; p++) {
      if (bias) sums.set(bias);
      else sums.fill(0);
      for (let t = 0; t < taps; t++) {
        const pixel = tapPixels[p * taps + t];
        if (pixel < 0) continue;
        const from = (b * pixels + pixel) * channels;
        const f = b * filterStride + t * channels;
        for (let c = 0; c < channels; c++) sums[c] += x[from + c] * filter[f + c];
      }
      y.set(sums, (b * positions + p) * channels);
    }
  }
}

/** `dx[b, pixel(p, t), c] += dy[b, p, c] · filter[t, c]`, with `filter` `[taps, C]`. */
export function depthwiseBackwardInput(
  dx: Float32Array,
  dy: Float32Array,
  filter: Float64Array,
  plan: DepthwisePlan,
): void {
  const { batch, pixels, positions, channels, taps, tapPixels } = plan;
  for (let b = 0; b < batch; b++) {
    for (let p = 0; p < positions; p++) {
      const from = (b * positions + p) * channels;
      for (let t = 0; t < taps; t++) {
        const pixel = tapPixels[p * taps + t];
        if (pixel < 0) continue;
        const to = (b * pixels + pixel) * channels;
        const f = t * channels;
        for (let c = 0; c < channels; c++) dx[to + c] += dy[from + c] * filter[f + c];
      }
    }
  }
}

/** `dfilter[t, c] += Σ_bp x[b, pixel(p, t), c] · dy[b, p, c]`. */
export function depthwiseBackwardFilter(
  dfilter: Float64Array,
  dy: Float32Array,
  x: Float32Array,
  plan: DepthwisePlan,
): void {
  const { batch, pixels, positions, channels, taps, tapPixels } = plan;
  for (let b = 0; b < batch; b++) {
    for (let p = 0; p < positions; p++) {
      const dyAt = (b * positions + p) * channels;
      for (let t = 0; t < taps; t++) {
        const pixel = tapPixels[p * taps + t];
        if (pixel < 0) continue;
        const xAt = (b * pixels + pixel) * channels;
        const to = t * channels;
        for (let c = 0; c < channels; c++) dfilter[to + c] += x[xAt + c] * dy[dyAt + c];
      }
    }
  }
}
