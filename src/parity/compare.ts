/** Differences of arrays, and checks made of them. */
import type { Tensor } from "@tensorflow/tfjs";
import type { Image } from "../image/image.ts";
import type { Check, Deviation } from "./check.ts";
import { check, worstOf } from "./check.ts";

/** Largest and mean distance of two arrays. */
export interface Difference {
  /** Infinite where the lengths differ, or where only one side is finite. */
  readonly most: number;
  readonly mean: number;
}

/** Compares element by element; the same infinity and two that are not numbers are equal. */
export function differenceOf(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
): Difference {
  if (found.length !== expected.length) return { most: Infinity, mean: Infinity };
  let most = 0, sum = 0;
  for (let i = 0; i < expected.length; i++) {
    if (found[i] === expected[i] || (Number.isNaN(found[i]) && Number.isNaN(expected[i]))) continue;
    const distance = Math.abs(found[i] - expected[i]);
    const error = Number.isNaN(distance) ? Infinity : distance;
    most = Math.max(most, error);
    sum += error;
  }
  return { most, mean: sum / Math.max(1, expected.length) };
}

/** The largest magnitude of finite elements; 1 where all are 0, so that one can divide by it. */
export function scaleOf(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) largest = Math.max(largest, Math.abs(values[i]));
  }
  return largest || 1;
}

/** How far a tensor is off, relative to the largest expected magnitude; the shapes must agree. */
export function tensorDeviation(
  item: string,
  found: Tensor,
  { expected, tolerance }: { readonly expected: Tensor; readonly tolerance: number },
): Deviation {
  if (`${found.shape}` !== `${expected.shape}`) {
    const shapes = `shape is [${found.shape}], expected [${expected.shape}]`;
    return { item: `${item}: ${shapes}`, error: Infinity, tolerance };
  }
  return relativeDeviation(item, found.dataSync(), { expected: expected.dataSync(), tolerance });
}

/** How far an array is off. */
export function arrayDeviation(
  item: string,
  found: ArrayLike<number>,
  { expected, tolerance }: { readonly expected: ArrayLike<number>; readonly tolerance: number },
): Deviation {
  return { item, error: differenceOf(found, expected).most, tolerance };
}

/** How far an array is off, relative to the largest expected magnitude. */
export function relativeDeviation(
  item: string,
  found: ArrayLike<number>,
  { expected, tolerance }: { readonly expected: ArrayLike<number>; readonly tolerance: number },
): Deviation {
  return { item, error: differenceOf(found, expected).most / scaleOf(expected), tolerance };
}

/** Compares numbers one by one, each with its own name. */
export function checkNumbers(
  name: string,
  found: Readonly<Record<string, number>>,
  { expected, tolerance }: {
    readonly expected: Readonly<Record<string, number>>;
    readonly tolerance: number;
  },
): Check {
  const deviations = Object.entries(expected).map(([item, value]): Deviation => {
    const { most: error } = differenceOf([found[item]], [value]);
    return { item, error, tolerance };
  });
  return worstOf(name, deviations);
}

/** Compares pictures: no pixel may be off by more than the tolerance, 0 for the same pixels. */
export function checkPixels(
  name: string,
  found: Image<ArrayLike<number>>,
  { expected, tolerance = 0, meanTolerance }: {
    readonly expected: Image<ArrayLike<number>>;
    readonly tolerance?: number;
    /** Of the mean over all pixels. */
    readonly meanTolerance?: number;
  },
): Check {
  const size = `${found.width} x ${found.height}`;
  if (found.width !== expected.width || found.height !== expected.height) {
    const detail = `is ${size}, expected ${expected.width} x ${expected.height}`;
    return check(name, { error: Infinity, tolerance, detail });
  }
  const { most, mean } = differenceOf(found.data, expected.data);
  return worstOf(name, [
    { item: `${size}, most`, error: most, tolerance },
    ...(meanTolerance === undefined
      ? []
      : [{ item: `${size}, mean`, error: mean, tolerance: meanTolerance }]),
  ]);
}
