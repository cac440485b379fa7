import { assertEquals, assertMatch } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import { CudnnGraphs } from "../../../src/backends/cuda/bindings/cudnn_graph.ts";
import { CudaError } from "../../../src/backends/cuda/bindings/status.ts";
import type { BackendOptions } from "../../../src/backends/mod.ts";
import { useBackend } from "../../../src/backends/mod.ts";
import { conv2d } from "../../../src/ops/conv2d.ts";
import { foldedConv2d } from "../../../src/ops/folded_conv2d.ts";
import { Rng } from "../../../src/random.ts";
import { assertClose } from "../../support/close.ts";
import { choose, randomTensor } from "../../support/random_tensors.ts";
import { testEmulated } from "./against_reference.ts";

const PLAIN = {
  stride: 1,
  padding: 1,
  dilation: 1,
  groups: 1,
  activation: "relu",
  epsilon: 1e-5,
} as const;

/** Has algorithms tried or not; a device that only estimates is kept, so the other one differs in more. */
const measuring = (measure: boolean) => ({ measure, deterministic: measure }) as BackendOptions;

/** Of the largest value: TF32 keeps ten bits of a factor, bfloat16 seven of a result. */
const TOLERANCE = { float32: 1e-5, tf32: 1 / 512, bf16: 1 / 64 } as const;

/** Each test has a shape of its own: plans outlive it. */
let lastHeight = 3;

/** A fused convolution of random numbers: filters `[O, 3, 3, C]`, with a norm or a bias. */
function fusedConvolution(
  rng: Rng,
  { height, groups = 1 }: { readonly height: number; readonly groups?: number },
): Tensor4D {
  const vector = (mean: number) => randomTensor<Tensor1D>(rng, [12], { mean, deviation: 0.1 });
  const norm = {
    weight: vector(1),
    bias: vector(0),
    runningMean: vector(0),
    runningVar: vector(2),
  };
  return foldedConv2d(
    randomTensor(rng, [2, height, 6, 8]),
    randomTensor(rng, [12, 3, 3, 8 / groups]),
    {
      ...PLAIN,
      activation: choose(rng, "relu", "none"),
      ...(rng.uniform() < 0.5 ? { norm } : { bias: vector(1) }),
      ...(rng.uniform() < 0.5 ? { residual: randomTensor(rng, [2, height, 6, 12]) } : {}),
      groups,
    },
  );
}

async function valuesOn(
  name: "reference" | "emulated",
  options: BackendOptions,
  run: () => Tensor4D,
): Promise<{ values: Float32Array; planned: number; refused: readonly string[] }> {
  await using backend = await useBackend(name, options);
  const fused = backend.cuda?.convolutions.fused;
  const before = { planned: fused?.planned ?? 0, refused: fused?.refused.size ?? 0 };
  const values = tf.tidy(() => run().dataSync<"float32">());
  return {
    values,
    planned: (fused?.planned ?? 0) - before.planned,
    refused: [...fused?.refused.values() ?? []].slice(before.refused),
  };
}

for (const precision of ["float32", "tf32", "bf16"] as const) {
  for (const measure of [false, true]) {
    const how = measure ? "measured" : "estimated";
    testEmulated(
      `A fused convolution in ${precision} runs as a plan of cuDNN, ${how}`,
      async () => {
        for (let seed = 0; seed < 6; seed++) {
          const height = lastHeight++;
          const run = () => fusedConvolution(new Rng(seed), { height });
          const found = await valuesOn("emulated", { precision, ...measuring(measure) }, run);
          const { values } = await valuesOn("reference", {}, run);
          const tolerance = TOLERANCE[precision];
          assertClose(found.values, values, { tolerance, what: `seed ${seed}` });
          if (measure) assertEquals(found.planned + found.refused.length, 1);
          else assertEquals([found.planned, found.refused], [1, []]);
        }
      },
    );
  }
}

testEmulated("A fused convolution without a ready engine runs by the older call", async () => {
  const height = lastHeight++;
  const run = () => fusedConvolution(new Rng(1), { height, groups: 2 });
  const { values, planned, refused } = await valuesOn("emulated", {}, run);
  assertClose(values, (await valuesOn("reference", {}, run)).values);
  assertEquals(planned, 0);
  assertMatch(refused[0], /no engine is usable/);
});

testEmulated("A fused convolution whose plan fails goes on by the older call", async () => {
  await using backend = await useBackend("emulated");
  const { fused } = backend.cuda!.convolutions;
  const height = lastHeight++;
  const run = () => tf.tidy(() => fusedConvolution(new Rng(1), { height }).dataSync<"float32">());
  const before = fused.planned, planned = run();
  assertEquals(fused.planned, before + 1);
  const { execute } = CudnnGraphs.prototype;
  CudnnGraphs.prototype.execute = () => {
    throw new CudaError("cudnnBackendExecute", 3000, "CUDNN_STATUS_NOT_SUPPORTED");
  };
  try {
    assertClose(run(), planned);
  } finally {
    CudnnGraphs.prototype.execute = execute;
  }
  assertClose(run(), planned);
  assertEquals(fused.planned, before);
  assertMatch([...fused.refused.values()].at(-1)!, /Cannot run cudnnBackendExecute/);
});

for (const measure of [false, true]) {
  const how = measure ? "measures" : "estimates";
  testEmulated(
    `Convolutions of shapes that a recorded step meets first are recorded, where one ${how}`,
    async () => {
      await using backend = await useBackend("emulated", measuring(measure));
      const cuda = backend.cuda!;
      const rng = new Rng(5), height = lastHeight++, shape = [1, height, 6, 4];
      const weight = randomTensor(rng, [4, 3, 3, 4]), bias = randomTensor<Tensor1D>(rng, [4]);
      const convolve = (x: Tensor4D) =>
        conv2d(foldedConv2d(x, weight, { ...PLAIN, bias }), weight, { padding: 1 });
      const values = randomTensor(rng, shape).dataSync<"float32">();
      const input = { x: { values, shape, dtype: "float32" as const } };
      const refused = cuda.convolutions.refused.length;
      using step = cuda.record(input, ({ x }) => ({ y: convolve(x as Tensor4D) }));
      const { y } = step.replay(input);
      const x = tf.tensor4d(values, shape as [number, number, number, number]);
      const expected = convolve(x);
      assertClose(y, expected);
      assertEquals(cuda.convolutions.refused.length, refused);
      tf.dispose([y, x, expected, weight, bias]);
    },
  );
}
