/** Ops on random tensors with their gradients, for every backend that has kernels of its own. */
import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { activate, type ActivationKind } from "../../src/ops/activation.ts";
import { ChannelSum, convOutputSize } from "../../src/ops/conv2d.ts";
import { iouLoss, type IouLossKind } from "../../src/ops/iou_loss.ts";
import { maxPool2d } from "../../src/ops/max_pool2d.ts";
import { selectCrossEntropy } from "../../src/ops/select_cross_entropy.ts";
import { type SgdEntry, sgdUpdate } from "../../src/ops/sgd_update.ts";
import { xcorrDepthwise, xcorrOutputShape } from "../../src/ops/xcorr_depthwise.ts";
import type { Rng } from "../../src/random.ts";
import { choose, randomTensor } from "./random_tensors.ts";
import type { Results } from "./results.ts";

/** Sizes of a correlation. */
export interface CorrelationSizes {
  readonly x: readonly [batch: number, height: number, width: number];
  readonly kernel: number;
  readonly channels: number;
  readonly padding: number;
}

/** A depthwise correlation of given sizes. */
export function correlate(
  rng: Rng,
  { x: size, kernel, channels, padding }: CorrelationSizes,
): Results {
  const x = randomTensor(rng, [...size, channels]);
  const z = randomTensor(rng, [size[0], kernel, kernel, channels]);
  const dy = randomTensor(rng, xcorrOutputShape(x.shape, z.shape, padding));
  const run = (x: Tensor4D, z: Tensor4D) => xcorrDepthwise(x, z, { padding });
  const [dx, dz] = tf.grads(run as Parameters<typeof tf.grads>[0])([x, z], dy);
  return { y: run(x, z), dx, dz };
}

/** A depthwise correlation of random sizes. */
export function randomCorrelation(rng: Rng): Results {
  const kernel = 1 + rng.integer(6);
  return correlate(rng, {
    x: [1 + rng.integer(9), kernel + rng.integer(12), kernel + rng.integer(30)],
    kernel,
    channels: choose(rng, 1, 3, 8, 12, 16, 21, 48),
    padding: rng.integer(kernel),
  });
}

export function randomActivation(rng: Rng): Results {
  const shape = [2, 5, 1 + rng.integer(90), choose(rng, 1, 17, 64)];
  const x = randomTensor(rng, shape, { mean: 2, deviation: 4 });
  const kind = choose<ActivationKind>(rng, "relu", "relu6");
  const run = (x: Tensor) => activate(x as Tensor4D, kind);
  return { y: run(x), dx: tf.grad(run)(x, randomTensor(rng, shape)) };
}

export function randomChannelSum(rng: Rng): Results {
  const shape = [3, 1 + rng.integer(40), 7, choose(rng, 1, 16, 63, 64, 65, 200)];
  return { sum: ChannelSum.run({ x: randomTensor(rng, shape) }, {}) };
}

/** A pooling of rounded numbers, many of which are equal. */
export function randomMaxPool(rng: Rng): Results {
  const kernel = choose(rng, 2, 3), size = 5 + rng.integer(9);
  const geometry = { kernel, stride: choose(rng, 1, 2, 3), padding: rng.integer(2) };
  const out = (length: number) => convOutputSize(length, kernel, { ...geometry, dilation: 1 });
  const channels = choose(rng, 1, 3, 32, 50), batch = 1 + rng.integer(9);
  const x = randomTensor(rng, [batch, size, size + 2, channels]).round<Tensor4D>();
  const dy = randomTensor(rng, [batch, out(size), out(size + 2), channels]);
  const run = (x: Tensor) => maxPool2d(x as Tensor4D, geometry);
  return { y: run(x), dx: tf.grad(run)(x, dy) };
}

/** A classification loss, of which some kinds of labels may be absent. */
export function randomCrossEntropy(rng: Rng): Results {
  const side = choose(rng, 1, 5, 25), shape = [1 + rng.integer(9), side, side];
  const present = choose(rng, [-1, 0, 1], [-1, 0], [-1, 1], [-1]);
  const labels = tf.tensor3d(
    Int32Array.from({ length: shape[0] * side * side }, () => choose(rng, ...present)),
    shape as [number, number, number],
    "int32",
  );
  const logits = randomTensor(rng, [...shape, 2], { deviation: choose(rng, 1, 100) });
  const run = (logits: Tensor) => selectCrossEntropy(logits as Tensor4D, labels as Tensor3D);
  return { loss: run(logits), dlogits: tf.grad(run)(logits) };
}

/** A location loss, half of whose sides are equal. */
export function randomIouLoss(kind: IouLossKind): (rng: Rng) => Results {
  return (rng) => {
    const boxes = 2 + rng.integer(choose(rng, 50, 900));
    const positive = () => randomTensor(rng, [boxes, 4], { mean: 30, deviation: 10 }).abs();
    const target = positive();
    const pred = tf.where(randomTensor(rng, [boxes, 4]).greater(0), target, positive());
    const weight = choose(
      rng,
      randomTensor<Tensor>(rng, [boxes]).relu(),
      tf.zeros([boxes]),
      tf.ones([boxes]),
    );
    const options = { weight, kind, whenEmpty: choose(rng, "zero" as const, "mean" as const) };
    const run = (pred: Tensor) => iouLoss(pred, target, options);
    return { loss: run(pred), dpred: tf.grad(run)(pred) };
  };
}

/** Settings of an update. */
export const SGD_OPTIONS = { momentum: 0.9, weightDecay: 1e-4, clipNorm: 10, maxLoss: 1e4 };

/** Parameters to update: one longer than a block's chunk, some of lengths that no vector divides. */
export function randomSgdEntries(rng: Rng): SgdEntry[] {
  const shapes = [[3], [5, 3, 3, 7], [1], [40000], [129, 257]];
  return shapes.map((shape, i) => ({
    parameter: randomTensor(rng, shape),
    gradient: randomTensor(rng, shape),
    velocity: randomTensor(rng, shape),
    learningRate: 0.01 * (i + 1),
  }));
}

/** Two updates, clipped or not, some of a loss that forbids them. */
export function randomSgdUpdate(rng: Rng): Results {
  const entries = randomSgdEntries(rng);
  const clipNorm = choose(rng, 0, 1, 1e6);
  const loss = tf.scalar(choose(rng, 1, 1, 1, NaN, 1e5));
  const first = sgdUpdate(entries, { ...SGD_OPTIONS, clipNorm, loss });
  const second = sgdUpdate(entries, { ...SGD_OPTIONS, clipNorm, loss });
  return { first, second, ...sgdValues(entries) };
}

/** What an update leaves, by name. */
export function sgdValues(entries: readonly SgdEntry[]): Results {
  return Object.fromEntries(
    entries.flatMap(({ parameter, velocity }, i) => [
      [`parameter${i}`, parameter.clone()],
      [`velocity${i}`, velocity.clone()],
    ]),
  );
}

/** Versions of parameter, gradient and velocity. */
export function sgdVersions(
  entries: readonly SgdEntry[],
  version: (tensor: Tensor) => number,
): number[][] {
  return entries.map(({ parameter, gradient, velocity }) =>
    [parameter, gradient, velocity].map(version)
  );
}

/** Parts of a tensor, and a tensor with a rim. */
export function randomCrops(rng: Rng): Results {
  const x = randomTensor(rng, [2, 15, 9 + rng.integer(8), choose(rng, 1, 3, 32)]);
  const crop = (x: Tensor) => (x as Tensor4D).slice([0, 4, 1, 0], [-1, 7, 7, -1]);
  const pad = (x: Tensor) => (x as Tensor4D).pad([[0, 1], [2, 0], [1, 3], [0, 2]], 0.5);
  const dy = randomTensor(rng, [2, 7, 7, x.shape[3]]);
  return {
    crop: crop(x),
    channel: x.slice([1, 2, 3, 0], [1, 2, 3, 1]),
    cropGradient: tf.grad(crop)(x, dy),
    pad: pad(x),
    padGradient: tf.grad(pad)(x, pad(x)),
    vector: x.flatten().slice(5, 9),
    padVector: tf.tensor1d([1, 2]).pad([[1, 2]]),
    ofIntegers: x.toInt().slice([0, 0, 0, 0], [1, 2, 3, 1]).pad(
      [[0, 0], [1, 1], [0, 0], [0, 0]],
      7,
    ),
  };
}
