/** Comparisons of arrays with golden values. */
import type { Tensor } from "@tensorflow/tfjs";
import type { Deviation } from "./check.ts";
import type { Samples, StageSummary } from "./golden_model.ts";

/** The values of an activation `[B, H, W, C]` as a file has them, `[B, C, H, W]`. */
export async function channelsFirst(x: Tensor): Promise<Float32Array> {
  const [batch, height, width, channels] = x.shape;
  const values = await x.data() as Float32Array;
  const plane = height * width;
  const result = new Float32Array(values.length);
  for (let n = 0; n < batch; n++) {
    for (let p = 0; p < plane; p++) {
      const from = (n * plane + p) * channels;
      const to = n * channels * plane + p;
      for (let c = 0; c < channels; c++) result[to + c * plane] = values[from + c];
    }
  }
  return result;
}

/** The inverse of {@linkcode channelsFirst} for an array `[B, C, H, W]`. */
export function channelsLast(values: ArrayLike<number>, shape: readonly number[]): Float32Array {
  const [, channels, height, width] = shape;
  const plane = height * width;
  const result = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const n = Math.floor(i / (channels * plane));
    const c = Math.floor(i / plane) % channels;
    result[(n * plane + i % plane) * channels + c] = values[i];
  }
  return result;
}

/** Largest magnitude; 0 of nothing. */
export function absMax(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  return largest;
}

/** Largest difference of two arrays of one length; NaN if any is not a number. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]));
  return largest;
}

/** L2 norm, summed in double precision. */
export function l2Norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return Math.sqrt(sum);
}

/** L2 norm of a difference. */
export function l2Distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum);
}

/** Sampled elements: the truth is the float64 run, where there is one. */
export function sampleDifference(values: ArrayLike<number>, samples: Samples): number {
  return maxDifference(samples.idx.map((i) => values[i]), samples.val_float64 ?? samples.val);
}

/** How far the float32 golden itself is from the truth, at the worst sample. */
export function sampleNoise({ val, val_float64 = val }: Samples): number {
  return maxDifference(val, val_float64);
}

/**
 * A feature map against its summary.
 *
 * @param values `[B, C, H, W]`.
 * @param options `shape` of the map in that order, and the tolerance as a share of the largest magnitude.
 */
export function stageDeviation(
  item: string,
  values: Float32Array,
  { summary, shape, share }: {
    readonly summary: StageSummary;
    readonly shape: readonly number[];
    readonly share: number;
  },
): Deviation {
  const tolerance = share * summary.absmax;
  if (shape.join() !== summary.shape.join()) {
    return { item: `${item} is [${shape}], not [${summary.shape}]`, error: Infinity, tolerance };
  }
  const { mean, std, absmax, min, max } = summary;
  const statistics = maxDifference(statisticsOf(values), [mean, std, absmax, min, max]);
  return { item, error: Math.max(statistics, sampleDifference(values, summary)), tolerance };
}

function statisticsOf(values: Float32Array): number[] {
  let sum = 0, squares = 0, min = Infinity, max = -Infinity;
  for (const value of values) {
    sum += value;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  const mean = sum / values.length;
  for (const value of values) squares += (value - mean) ** 2;
  return [mean, Math.sqrt(squares / values.length), Math.max(-min, max), min, max];
}
