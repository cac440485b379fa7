import { AssertionError } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor } from "@tensorflow/tfjs";
import { Rng } from "../../src/random.ts";
import { assertClose } from "./close.ts";
import { assertNoLeak } from "./leaks.ts";
import { randomTensor } from "./random_tensors.ts";

/** Settings of {@linkcode assertGradientsMatch}. */
export interface GradientCheck {
  /** Half the distance of the two evaluations; larger where the function is linear. */
  readonly step?: number;
  /** Largest difference, relative to the largest entry. */
  readonly tolerance?: number;
}

/**
 * Asserts that the gradient of `f` by each input equals the central difference, for a random weighting of
 * the outputs, and that neither pass leaks a tensor.
 *
 * @param inputs Away from kinks by more than the step; they stay the caller's.
 */
export function assertGradientsMatch(
  // deno-lint-ignore no-explicit-any
  f: (...inputs: any[]) => Tensor,
  inputs: readonly Tensor[],
  { step = 1e-2, tolerance = 2e-3 }: GradientCheck = {},
): void {
  assertNoLeak(() =>
    tf.tidy(() => {
      const y = f(...inputs);
      const weights = randomTensor<Tensor>(new Rng(17), y.shape);
      const outputWeights = weights.dataSync();
      const evaluate = (changed: readonly Tensor[]) =>
        tf.tidy(() => weightedSum(f(...changed).dataSync(), outputWeights));
      const found = tf.grads(f)([...inputs], weights);
      if (weights.isDisposed) throw new AssertionError("The caller's dy is disposed");
      found.forEach((gradient, i) => {
        const expected = centralDifferences(evaluate, { inputs, which: i, step });
        assertClose(gradient, expected, { tolerance, what: `gradient by input ${i}` });
      });
    })
  );
}

function centralDifferences(
  evaluate: (inputs: readonly Tensor[]) => number,
  { inputs, which, step }: {
    readonly inputs: readonly Tensor[];
    readonly which: number;
    readonly step: number;
  },
): Tensor {
  const { shape } = inputs[which];
  const values = inputs[which].dataSync();
  const valueAt = (index: number, value: number) => {
    const changed = values.slice();
    changed[index] = value;
    return evaluate(inputs.map((input, i) => i === which ? tf.tensor(changed, shape) : input));
  };
  const slopes = Float32Array.from(values, (value, i) => {
    // The step that float32 makes of it, not the one asked for.
    const above = Math.fround(value + step), below = Math.fround(value - step);
    return (valueAt(i, above) - valueAt(i, below)) / (above - below);
  });
  return tf.tensor(slopes, shape);
}

function weightedSum(values: ArrayLike<number>, weights: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * weights[i];
  return sum;
}
