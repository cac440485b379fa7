import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor4D, TensorInfo } from "@tensorflow/tfjs";
import { useBackend } from "../../../src/backends/mod.ts";
import { type CudaBackend, sizeOf } from "../../../src/backends/cuda/backend.ts";
import type { ConvPass } from "../../../src/backends/cuda/bindings/cudnn.ts";
import { queueWidened } from "../../../src/backends/cuda/kernels/conv2d.ts";
import { queuePlainConvolution } from "../../../src/backends/cuda/kernels/conv2d_plain.ts";
import {
  Conv2dBackwardInput,
  Conv2dBackwardWeight,
  convOutputShape,
} from "../../../src/ops/conv2d.ts";
import { conv2d, foldedConv2d } from "../../../src/ops/mod.ts";
import { Rng } from "../../../src/random.ts";
import { BACKENDS } from "../../support/backends.ts";
import { assertClose } from "../../support/close.ts";
import { randomTensor } from "../../support/random_tensors.ts";

const emulated = BACKENDS.find(({ name }) => name === "emulated")!;

const FOLDED = {
  stride: 1,
  padding: 1,
  dilation: 1,
  groups: 1,
  activation: "none",
  epsilon: 1e-5,
} as const;

const PROBLEMS = [
  { x: [2, 9, 7, 4], weight: [6, 3, 3, 4], stride: 2, padding: 1, dilation: 1, groups: 1 },
  { x: [1, 8, 8, 6], weight: [6, 3, 3, 1], stride: 1, padding: 2, dilation: 2, groups: 6 },
  { x: [2, 5, 6, 4], weight: [4, 1, 3, 2], stride: 1, padding: 0, dilation: 1, groups: 2 },
] as const;

Deno.test({
  name: "queueWidened() equals the same pass in bfloat16, up to rounding",
  ignore: !emulated.available,
  async fn() {
    await using _ = await useBackend("emulated", { precision: "bf16" });
    const cuda = tf.backend() as CudaBackend;
    const rng = new Rng(9);
    const draw = (shape: number[]) =>
      cuda.activation(Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()), shape);
    const [x, weight, y, expected] = [[1, 6, 6, 8], [8, 3, 3, 8], [1, 6, 6, 8], [1, 6, 6, 8]]
      .map(draw);
    const problem = {
      pass: "forward",
      x: x.shape,
      weight: weight.shape,
      y: y.shape,
      geometry: { stride: 1, padding: 1, dilation: 1, groups: 1 },
      format: "bfloat16",
    } as const;
    const operands = { first: cuda.address(x), second: cuda.address(weight) };
    assert(queueWidened(cuda, problem, { ...operands, output: cuda.address(y) }));
    assert(cuda.convolutions.run(problem, { ...operands, output: cuda.address(expected) }));
    const read = (info: TensorInfo) => cuda.readSync(info.dataId) as Float32Array;
    assertClose(read(y), read(expected), { tolerance: 0.01 });
    for (const { dataId } of [x, weight, y, expected]) cuda.disposeData(dataId);
  },
});

for (const [precision, most, least] of [["float32", 1e-6, 0], ["tf32", 1 / 512, 1e-5]] as const) {
  Deno.test({
    name: `Convolutions in ${precision} keep ${precision === "tf32" ? "ten bits" : "all bits"}`,
    ignore: !emulated.available,
    async fn() {
      const passes = () =>
        tf.tidy(() => {
          const rng = new Rng(4);
          const x = randomTensor<Tensor4D>(rng, [2, 7, 8, 6]);
          const weight = randomTensor<Tensor4D>(rng, [5, 3, 3, 6]);
          const run = (x: tf.Tensor, w: tf.Tensor) => conv2d(x as Tensor4D, w as Tensor4D, {});
          const y = run(x, weight);
          return [y, ...tf.grads(run)([x, weight], y)].map((tensor) => tensor.dataSync());
        });
      const found = await onBackend("emulated", precision, passes);
      const exact = await onBackend("reference", "float32", passes);
      found.forEach((values, pass) => {
        const largest = Math.max(...exact[pass].map(Math.abs));
        const off = Math.max(...values.map((value, i) => Math.abs(value - exact[pass][i])));
        assert(off <= most * largest && off >= least * largest, `pass ${pass}: ${off / largest}`);
      });
    },
  });
}

for (const precision of ["float32", "bf16"] as const) {
  Deno.test({
    name: `What is made of weights in ${precision} is made again when one of them has changed`,
    ignore: !emulated.available,
    async fn() {
      await using backend = await useBackend("emulated", { precision });
      const cuda = backend.cuda!;
      tf.tidy(() => {
        const rng = new Rng(6);
        const draw = <T extends tf.Tensor>(shape: number[]) => randomTensor<T>(rng, shape);
        const vector = () => draw<tf.Tensor1D>([8]).abs<tf.Tensor1D>().add<tf.Tensor1D>(1);
        const x = draw<Tensor4D>([1, 5, 5, 8]);
        const weights = {
          weight: draw<Tensor4D>([8, 3, 3, 8]),
          scale: vector(),
          bias: vector(),
          runningMean: vector(),
          runningVar: vector(),
        };
        type Weights = typeof weights;
        const results = ({ weight, scale, ...rest }: Weights) => [
          ...conv2d(x, weight, {}).dataSync(),
          ...foldedConv2d(x, weight, { ...FOLDED, norm: { weight: scale, ...rest } }).dataSync(),
        ];
        results(weights);
        for (const tensor of Object.values(weights)) {
          cuda.overwrite(tensor, tensor.mul(1.5).dataSync());
          const fresh = Object.entries(weights).map(([name, { shape }]) => {
            const values = weights[name as keyof Weights].dataSync();
            return [name, tf.tensor(values, shape)];
          });
          assertEquals(results(weights), results(Object.fromEntries(fresh) as Weights));
        }
      });
    },
  });
}

async function onBackend<T>(
  name: "emulated" | "reference",
  precision: "float32" | "tf32",
  run: () => T,
): Promise<T> {
  await using _ = await useBackend(name, { precision });
  return run();
}

for (const { x: shape, weight: filters, ...geometry } of PROBLEMS) {
  Deno.test({
    name: `queuePlainConvolution() equals cuDNN's three passes for [${shape}] and [${filters}]`,
    ignore: !emulated.available,
    async fn() {
      await using _ = await useBackend("emulated");
      const cuda = tf.backend() as CudaBackend;
      const rng = new Rng(3);
      const y = convOutputShape(shape, filters, geometry);
      tf.tidy(() => {
        const x = randomTensor<Tensor4D>(rng, [...shape]);
        const weight = randomTensor<Tensor4D>(rng, [...filters]);
        const dy = randomTensor<Tensor4D>(rng, y);
        const plain = (
          pass: ConvPass,
          first: Tensor4D,
          second: Tensor4D,
          out: readonly number[],
        ) => {
          const output = cuda.empty(out);
          queuePlainConvolution(
            cuda,
            { pass, x: shape, weight: filters, y, geometry, format: "float32" },
            {
              first: cuda.address(first),
              second: cuda.address(second),
              output: cuda.address(output),
            },
          );
          return tf.engine().makeTensorFromTensorInfo(output);
        };
        const size = { height: shape[1], width: shape[2] };
        const kernel = { kernelHeight: filters[1], kernelWidth: filters[2] };
        const passes = {
          forward: [plain("forward", x, weight, y), conv2d(x, weight, geometry)],
          input: [
            plain("backwardInput", weight, dy, shape),
            Conv2dBackwardInput.run({ dy, weight }, { ...geometry, ...size }),
          ],
          weight: [
            plain("backwardWeight", x, dy, filters),
            Conv2dBackwardWeight.run({ dy, x }, { ...geometry, ...kernel }),
          ],
        };
        for (const [what, [actual, expected]] of Object.entries(passes)) {
          assertClose(actual, expected, { what });
        }
      });
      assertEquals(cuda.convolutions.refused, []);
      assert(cuda.statistics().launches > 0);
    },
  });
}
