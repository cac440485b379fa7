import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import type { Rng } from "../../src/random.ts";

/** A tensor of normally distributed values. */
export function randomTensor<T extends tf.Tensor = Tensor4D>(
  rng: Rng,
  shape: readonly number[],
  { mean = 0, deviation = 1 }: { readonly mean?: number; readonly deviation?: number } = {},
): T {
  const length = shape.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length }, () => mean + deviation * rng.normal());
  return tf.tensor(values, [...shape], "float32") as T;
}

/** A tensor of the values 0, step, 2 · step, …, shuffled: no two of them are near each other. */
export function distinctTensor<T extends tf.Tensor = Tensor4D>(
  rng: Rng,
  shape: readonly number[],
  step = 0.1,
): T {
  const length = shape.reduce((product, size) => product * size, 1);
  const values = rng.shuffle(Float32Array.from({ length }, (_, i) => i * step));
  return tf.tensor(values, [...shape], "float32") as T;
}

/** One of the arguments. */
export function choose<T>(rng: Rng, ...choices: readonly T[]): T {
  return choices[rng.integer(choices.length)];
}
