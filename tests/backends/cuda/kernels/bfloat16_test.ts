/** Every kernel that takes activations takes them as bfloat16, too, and computes in float32. */
import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor1D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { CudaBackend } from "../../../../src/backends/cuda/backend.ts";
import { convert } from "../../../../src/backends/cuda/conversion.ts";
import { useBackend } from "../../../../src/backends/mod.ts";
import {
  activate,
  batchNorm,
  channelGate,
  ChannelSum,
  fuseLevels,
  hardSwish,
  iouLoss,
  maxPool2d,
  selectCrossEntropy,
  spatialMean,
  xcorrDepthwise,
} from "../../../../src/ops/mod.ts";
import type { Rng } from "../../../../src/random.ts";
import { choose, randomTensor } from "../../../support/random_tensors.ts";
import { type Comparison, testEmulated, testOnCuda } from "../against_reference.ts";

/** Each result is rounded to eight bits. */
const ROUNDED: Comparison = { seeds: 4, tolerance: 1 / 128 };

testOnCuda("XcorrDepthwise in bfloat16", (rng) => {
  const [size, kernel] = choose(rng, [13, 5], [9, 4], [29, 5]);
  const x = narrowed(rng, [2, size, size + 1, choose(rng, 3, 16, 40)]);
  const z = narrowed(rng, [2, kernel, kernel, x.shape[3]]);
  const run = (x: Tensor, z: Tensor) => xcorrDepthwise(x as Tensor4D, z as Tensor4D);
  const y = run(x, z);
  const [dx, dz] = tf.grads(run)([x, z], randomTensor(rng, y.shape));
  return { y, dx, dz };
}, ROUNDED);

testOnCuda("BatchNorm in bfloat16", (rng) => {
  const shape = [3, 7, 6, choose(rng, 3, 64)];
  const x = narrowed(rng, shape), residual = narrowed(rng, shape);
  const vector = (mean: number) =>
    randomTensor<Tensor1D>(rng, [shape[3]], { mean, deviation: 0.1 });
  const norm = {
    weight: vector(1),
    bias: vector(0),
    runningMean: vector(0),
    runningVar: vector(2),
  };
  const options = {
    training: choose(rng, true, false),
    activation: "none",
    epsilon: 1e-5,
    momentum: 0.1,
  } as const;
  const run = (x: Tensor, residual: Tensor) =>
    batchNorm(x as Tensor4D, norm, { ...options, residual: residual as Tensor4D });
  const [dx, dresidual] = tf.grads(run)([x, residual], randomTensor(rng, shape));
  const y = run(x, residual);
  return { y, dx, dresidual, mean: norm.runningMean.clone(), variance: norm.runningVar.clone() };
}, ROUNDED);

testOnCuda("Pooling, activations, gates and sums in bfloat16", (rng) => {
  const x = narrowed(rng, [2, 9, 8, choose(rng, 3, 16)]);
  const gate = narrowed(rng, [2, 1, 1, x.shape[3]]);
  const geometry = { kernel: 3, stride: 2, padding: 1 };
  const pool = (x: Tensor) => maxPool2d(x as Tensor4D, geometry);
  const gated = (x: Tensor, gate: Tensor) =>
    channelGate(x as Tensor4D, gate as Tensor4D, "sigmoid");
  const pooled = pool(x);
  const [dx, dgate] = tf.grads(gated)([x, gate], x);
  return {
    pooled,
    poolGradient: tf.grad(pool)(x, randomTensor(rng, pooled.shape)),
    relu: activate(x, "relu"),
    reluGradient: tf.grad((x) => activate(x as Tensor4D, "relu6"))(x, x),
    hardSwish: hardSwish(x),
    gated: gated(x, gate),
    dx,
    dgate,
    mean: spatialMean(x),
    sum: ChannelSum.run({ x }, {}),
    fused: fuseLevels([x, narrowed(rng, x.shape)], { scale: tf.tensor1d([0.1, 0.2]) }),
  };
}, ROUNDED);

testOnCuda("Losses in bfloat16", (rng) => {
  const logits = narrowed(rng, [2, 5, 5, 2]);
  const labels = tf.tensor3d(
    Int32Array.from({ length: 50 }, () => rng.integer(3) - 1),
    [2, 5, 5],
    "int32",
  );
  const boxes = narrowed(rng, [20, 4], 30), target = randomTensor(rng, [20, 4]).add(30);
  const entropy = (logits: Tensor) => selectCrossEntropy(logits as Tensor4D, labels as Tensor3D);
  const overlap = (boxes: Tensor) => iouLoss(boxes, target, { weight: tf.ones([20]) });
  return {
    entropy: entropy(logits),
    byLogits: tf.grad(entropy)(logits),
    overlap: overlap(boxes),
    byBoxes: tf.grad(overlap)(boxes),
  };
}, ROUNDED);

testOnCuda("tfjs's kernels in bfloat16", (rng) => {
  const a = narrowed(rng, [3, 5, 6, choose(rng, 3, 8)]);
  const wide = randomTensor(rng, a.shape);
  return {
    sum: a.add(a),
    mixed: a.mul(wide),
    mixedFromLeft: wide.sub(a),
    scaled: a.mul(0.5),
    row: a.add(narrowed(rng, [a.shape[3]])),
    ofMany: tf.addN([a, wide, a]),
    exponential: a.exp(),
    softmax: tf.softmax(a),
    total: a.sum(),
    byAxis: a.max([1, 2]),
    crop: a.slice([0, 1, 2, 0], [-1, 3, 3, -1]),
    padded: a.pad([[0, 0], [1, 1], [0, 2], [0, 0]], 1.5),
    turned: a.transpose([0, 3, 1, 2]),
    joined: tf.concat([a, wide], 1),
    zeros: tf.zerosLike(a),
    ones: tf.onesLike(a),
    product: tf.matMul(a.reshape([15, -1]), a.reshape([15, -1]), false, true),
    smaller: a.less(wide).toInt(),
  };
}, ROUNDED);

testOnCuda("Filling an odd number of elements in bfloat16, and none behind them", (rng) => {
  const x = narrowed(rng, [3, 1, 1, 5]);
  return { zeros: tf.zerosLike(x), ones: tf.onesLike(x) };
}, { seeds: 1 });

testEmulated("Values go to bfloat16 and back, rounded to the nearest, ties to even", async () => {
  await using _ = await useBackend("emulated");
  const cases: readonly (readonly [number, number])[] = [
    [1, 1],
    [1 + 2 ** -8, 1], // half way, down to even
    [1 + 3 * 2 ** -8, 1 + 2 ** -6], // half way, up to even
    [1 + 2 ** -8 + 2 ** -20, 1 + 2 ** -7],
    [-3.4e38, -Infinity],
    [Infinity, Infinity],
    [2 ** -140, 0],
    [NaN, NaN],
  ];
  tf.tidy(() => {
    const given = tf.tensor1d(cases.map(([value]) => value));
    assertEquals(Array.from(inStorage(given).dataSync()), cases.map(([, rounded]) => rounded));
  });
});

for (const format of ["float32", "bfloat16"] as const) {
  testEmulated(`Pictures go up as bytes and become ${format} on the device`, async () => {
    await using _ = await useBackend("emulated");
    tf.tidy(() => {
      const cuda = tf.backend() as CudaBackend;
      const bytes = Uint8Array.from({ length: 1003 }, (_, i) => i % 256);
      const picture = cuda.empty([17, 59], "float32", "uint8");
      cuda.driver.copyToDevice(cuda.address(picture), bytes, cuda.stream.address);
      const { dataId, shape, dtype } = convert(cuda, picture, { format });
      const values = tf.engine().makeTensorFromDataId(dataId, shape, dtype);
      assertEquals(values.dataSync(), Float32Array.from(bytes));
      cuda.disposeData(picture.dataId);
    });
  });
}

/** Random values as bfloat16 lies on the device; on another backend the same values, rounded. */
function narrowed<T extends Tensor = Tensor4D>(rng: Rng, shape: readonly number[], mean = 0): T {
  return inStorage(randomTensor<T>(rng, shape, { mean }));
}

function inStorage<T extends Tensor>(tensor: T): T {
  const backend = tf.backend();
  if (backend instanceof CudaBackend) {
    const { dataId, shape, dtype } = convert(backend, tensor, { format: "bfloat16" });
    return tf.engine().makeTensorFromDataId(dataId, shape, dtype) as T;
  }
  return tf.tensor(tensor.dataSync<"float32">().map(roundToBfloat16), tensor.shape) as T;
}

function roundToBfloat16(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  bits[0] = (bits[0] + 0x7fff + (bits[0] >>> 16 & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer)[0];
}
