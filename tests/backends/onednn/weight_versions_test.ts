import type { TensorInfo } from "@tensorflow/tfjs";
import { OnednnBackend } from "../../../src/backends/onednn/backend.ts";
import { NativeCpu } from "../../../src/backends/onednn/bindings/native.ts";
import { batchNormOnednn } from "../../../src/backends/onednn/kernels/batch_norm.ts";
import { sgdUpdateOnednn } from "../../../src/backends/onednn/kernels/sgd_update.ts";
import { nativeLibrary } from "../../../src/backends/onednn/toolchain.ts";
import { type ConvGeometry, convGeometry } from "../../../src/ops/conv2d.ts";
import { Rng } from "../../../src/random.ts";
import { assertClose } from "../../support/close.ts";
import { testNative } from "./against_reference.ts";
import { randomValues, runKernel, tensorOn } from "./conv_problems.ts";
import { NATIVE, WAYS } from "./conv_ways.ts";

/** Shapes that each way takes: a small weight, whose packed form is kept, and one too large to keep. */
const SHAPES = {
  "3 x 3": { x: [1, 9, 9, 32], weight: [32, 3, 3, 32], groups: 1 },
  "3 x 3 of many channels": { x: [1, 5, 5, 256], weight: [256, 3, 3, 256], groups: 1 },
  "1 x 1": { x: [1, 9, 9, 32], weight: [32, 1, 1, 32], groups: 1 },
  "depthwise": { x: [1, 9, 9, 24], weight: [24, 3, 3, 1], groups: 24 },
  "few channels": { x: [1, 9, 9, 3], weight: [8, 3, 3, 3], groups: 1 },
} as const;

for (const [way, { options }] of Object.entries(WAYS)) {
  testNative(`Every update of a weight shows in every pass, by ${way}`, async () => {
    const native = new NativeCpu(await nativeLibrary());
    for (const [shape, { x, weight, groups }] of Object.entries(SHAPES)) {
      const backend = new OnednnBackend(native, options), rng = new Rng(1);
      const geometry = convGeometry({ padding: weight[1] >> 1, groups });
      const dyShape = [...x.slice(0, 3), weight[0]];
      const [xInfo, weightInfo, dy] = [x, weight, dyShape].map((shape) =>
        tensorOn(backend, randomValues(rng, shape))
      );
      // In turns, so that each pass finds what another has packed.
      const run = () => passesOf(backend, { x: xInfo, weight: weightInfo, dy, geometry });
      for (const [change, apply] of Object.entries(CHANGES)) {
        const before = run();
        apply(backend, weightInfo);
        for (const [pass, values] of Object.entries(run())) {
          const doubled = before[pass].map((value) => 2 * value);
          assertClose(values, doubled, { tolerance: 1e-4, what: `${pass}, ${shape}, ${change}` });
        }
      }
    }
  });
}

testNative(
  "Statistics that a batch norm moved show in the weight that they are folded into",
  async () => {
    const backend = new OnednnBackend(new NativeCpu(await nativeLibrary())), rng = new Rng(2);
    const values = (shape: readonly number[], mean = 0) =>
      tensorOn(backend, randomValues(rng, shape, mean));
    const x = values([1, 9, 9, 32]), weight = values([32, 3, 3, 32]);
    const norm = {
      weight: values([32], 1),
      bias: values([32]),
      runningMean: values([32]),
      runningVar: values([32], 2),
    };
    const fold = () => {
      const { weight: normWeight, bias: normBias, ...statistics } = norm;
      const inputs = { x, weight, normWeight, normBias, ...statistics };
      const attrs = { ...convGeometry({ padding: 1 }), activation: "none", epsilon: 1e-5 };
      return runKernel(backend, NATIVE.folded, { inputs, attrs });
    };
    fold();
    const attrs = { training: true, activation: "none", epsilon: 1e-5, momentum: 0.5 };
    runKernel(backend, batchNormOnednn, { inputs: { x, ...norm }, attrs });
    const found = fold();
    for (const name of ["runningMean", "runningVar"] as const) {
      const { shape } = norm[name];
      norm[name] = tensorOn(backend, { shape, values: backend.floats(norm[name]) });
    }
    assertClose(found, fold(), { tolerance: 1e-6 });
  },
);

/** Each doubles a weight. */
const CHANGES: Readonly<Record<string, (backend: OnednnBackend, weight: TensorInfo) => void>> = {
  "written from outside": (backend, weight) =>
    backend.overwrite(weight, backend.floats(weight).map((value) => 2 * value)),
  "by the optimiser": (backend, weight) => {
    const gradient = tensorOn(backend, { shape: weight.shape, values: backend.floats(weight) });
    const zeros = new Float32Array(backend.floats(weight).length);
    const velocity = tensorOn(backend, { shape: weight.shape, values: zeros });
    const loss = tensorOn(backend, { shape: [], values: new Float32Array([1]) });
    const inputs = { loss, param0: weight, grad0: gradient, velocity0: velocity };
    const settings = { momentum: 0, weightDecay: 0, clipNorm: 0, maxLoss: 1e4 };
    const attrs = { count: 1, learningRates: new Float32Array([-1]), ...settings };
    runKernel(backend, sgdUpdateOnednn, { inputs, attrs });
  },
};

/** What reads a weight. */
function passesOf(backend: OnednnBackend, { x, weight, dy, geometry }: {
  readonly x: TensorInfo;
  readonly weight: TensorInfo;
  readonly dy: TensorInfo;
  readonly geometry: ConvGeometry;
}): Record<string, Float32Array> {
  const [, height, width] = x.shape, inputs = { x, weight };
  const fused = { ...geometry, activation: "relu", epsilon: 1e-5 };
  return {
    y: runKernel(backend, NATIVE.forward, { inputs, attrs: geometry }),
    dx: runKernel(backend, NATIVE.backwardInput, {
      inputs: { dy, weight },
      attrs: { ...geometry, height, width },
    }),
    folded: runKernel(backend, NATIVE.folded, { inputs, attrs: fused }),
  };
}
