import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import {
  type BackendHandle,
  type BackendName,
  conv2d,
  type CudaBackend,
  foldedConv2d,
  Rng,
  useBackend,
  xcorrDepthwise,
} from "../../mod.ts";

/** What came of a {@linkcode selfTest}. */
export interface SelfTestReport {
  readonly device: BackendName;
  /** Why a faster device was passed by. */
  readonly note?: string;
  /** Largest difference from the reference backend, as a part of the largest value, by result. */
  readonly differences: Readonly<Record<string, number>>;
  /** Whether all differences are within rounding. */
  readonly passed: boolean;
  /** What did the fused convolution on a card. */
  readonly fused?: string;
  /** Of the device's part, what had to be compiled included. */
  readonly seconds: number;
}

/** Float32 sums of a few hundred products differ by less, in whatever order they are taken. */
const TOLERANCE = 1e-4;

/**
 * Runs a dilated convolution and a depthwise correlation, forward and backward, and a fused convolution
 * on a device and on the reference backend, and compares. Takes a second or two, and the time to compile what is missing.
 *
 * @throws {Error} If the device does not work here.
 */
export async function selfTest(name: BackendName | "auto" = "auto"): Promise<SelfTestReport> {
  const start = performance.now();
  const found = await resultsOn(name);
  const seconds = (performance.now() - start) / 1000;
  const expected = await resultsOn("reference");
  const differences = Object.fromEntries(
    Object.entries(expected.values).map((
      [key, values],
    ) => [key, difference(found.values[key], values)]),
  );
  const passed = Object.values(differences).every((value) => value <= TOLERANCE);
  const { name: device, note, fused } = found;
  return { device, note, differences, passed, fused, seconds };
}

interface Results extends Pick<BackendHandle, "name" | "note"> {
  readonly values: Readonly<Record<string, Float32Array>>;
  readonly fused?: string;
}

async function resultsOn(name: BackendName | "auto"): Promise<Results> {
  await using backend = await useBackend(name);
  const tensors = tf.tidy(compute);
  const values = Object.fromEntries(
    Object.entries(tensors).map(([key, tensor]) => [key, tensor.dataSync<"float32">()]),
  );
  tf.dispose(tensors);
  const fused = backend.cuda && describeFused(backend.cuda);
  return { name: backend.name, note: backend.note, values, fused };
}

function describeFused({ convolutions: { fused } }: CudaBackend): string {
  const [reason] = fused.refused.values();
  return reason ? `cuDNN's older call (${reason})` : "a plan of cuDNN's graph API";
}

/** The same work everywhere: as in a head, features are convolved and then correlated. */
function compute(): Record<string, Tensor> {
  const rng = new Rng(1);
  const x = normal(rng, [1, 15, 15, 16]), z = normal(rng, [1, 5, 5, 16]);
  const weight = normal(rng, [16, 3, 3, 16]);
  const respond = (x: Tensor, z: Tensor, weight: Tensor) =>
    xcorrDepthwise(
      conv2d(x as Tensor4D, weight as Tensor4D, { padding: 2, dilation: 2 }),
      z as Tensor4D,
    );
  const { value, grads: [dx, dz, dweight] } = tf.valueAndGrads(respond)([x, z, weight]);
  const fused = foldedConv2d(x, weight, {
    stride: 1,
    padding: 1,
    dilation: 1,
    groups: 1,
    bias: tf.ones([16]),
    residual: x,
    activation: "relu",
    epsilon: 0,
  });
  return { response: value, dx, dz, dweight, fused };
}

function normal(rng: Rng, shape: [number, number, number, number]): Tensor4D {
  const length = shape.reduce((product, size) => product * size, 1);
  return tf.tensor4d(Float32Array.from({ length }, () => rng.normal()), shape);
}

function difference(found: Float32Array, expected: Float32Array): number {
  let largest = 0, worst = 0;
  for (const [i, value] of expected.entries()) {
    largest = Math.max(largest, Math.abs(value));
    // Written so that not-a-number is the worst of all.
    const distance = Math.abs(found[i] - value);
    worst = distance <= worst ? worst : distance;
  }
  return worst / largest;
}
