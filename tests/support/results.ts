import * as tf from "@tensorflow/tfjs";
import type { Tensor } from "@tensorflow/tfjs";
import { Rng } from "../../src/random.ts";

/** Named results of a computation. */
export type Results = Readonly<Record<string, Tensor>>;

/** A result on the host. */
export interface ResultValues {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

/** Runs a computation on the backend in use with random numbers of a seed, and frees what it made. */
export function valuesOf(
  compute: (rng: Rng) => Results,
  seed: number,
): Readonly<Record<string, ResultValues>> {
  const results = tf.tidy(() => compute(new Rng(seed)) as Record<string, Tensor>);
  const values = Object.entries(results)
    .map(([name, tensor]) => [name, { shape: tensor.shape, values: tensor.dataSync() }]);
  tf.dispose(results);
  return Object.fromEntries(values);
}
