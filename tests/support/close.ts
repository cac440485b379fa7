import { AssertionError } from "@std/assert";
import { Tensor } from "@tensorflow/tfjs";

/** Numbers to compare; a tensor's shape is compared, too. */
export type Values = Tensor | ArrayLike<number> | number;

/**
 * Asserts that two arrays are equal up to rounding.
 *
 * @param options `tolerance`: largest difference, relative to the largest expected magnitude (absolute where
 * all expected values are 0). `what`: names the values in the message.
 */
export function assertClose(
  actual: Values,
  expected: Values,
  { tolerance = 1e-5, what = "value" }: {
    readonly tolerance?: number;
    readonly what?: string;
  } = {},
): void {
  if (
    actual instanceof Tensor && expected instanceof Tensor &&
    `${actual.shape}` !== `${expected.shape}`
  ) {
    throw new AssertionError(`${what}: shape is [${actual.shape}], expected [${expected.shape}]`);
  }
  const found = valuesOf(actual), wanted = valuesOf(expected);
  if (found.length !== wanted.length) {
    throw new AssertionError(`${what}: has ${found.length} values, expected ${wanted.length}`);
  }
  let largest = 0;
  for (let i = 0; i < wanted.length; i++) {
    if (Number.isFinite(wanted[i])) largest = Math.max(largest, Math.abs(wanted[i]));
  }
  const limit = tolerance * (largest || 1);
  for (let i = 0; i < wanted.length; i++) {
    if (Object.is(found[i], wanted[i]) || Math.abs(found[i] - wanted[i]) <= limit) continue;
    throw new AssertionError(
      `${what}: element ${i} of ${wanted.length} is ${found[i]}, expected ${
        wanted[i]
      } within ${limit}`,
    );
  }
}

function valuesOf(values: Values): ArrayLike<number> {
  if (values instanceof Tensor) return values.dataSync();
  return typeof values === "number" ? [values] : values;
}
