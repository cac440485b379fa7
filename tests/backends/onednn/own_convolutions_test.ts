import type { TensorInfo } from "@tensorflow/tfjs";
import { NativeCpu } from "../../../src/backends/onednn/bindings/native.ts";
import { OnednnBackend } from "../../../src/backends/onednn/backend.ts";
import {
  conv2dBackwardInputOnednn,
  conv2dBackwardWeightOnednn,
  conv2dOnednn,
} from "../../../src/backends/onednn/kernels/conv2d.ts";
import { nativeLibrary } from "../../../src/backends/onednn/toolchain.ts";
import { type ConvGeometry, convOutputShape } from "../../../src/ops/conv2d.ts";
import { Rng } from "../../../src/random.ts";
import { assertClose } from "../../support/close.ts";
import { choose } from "../../support/random_tensors.ts";
import { testNative } from "./against_reference.ts";

/**
 * Ways of our own, and their largest error relative to the largest value. Where there are no tiles,
 * all but the float32 one are Winograd's.
 */
const WAYS = {
  "two parts in matrix tiles": { options: { precision: "tf32" }, tolerance: 2e-5 },
  "three parts in matrix tiles": { options: { winograd: false }, tolerance: 2e-6 },
  "Winograd's F(4 x 4, 3 x 3)": { options: { tiles: false }, tolerance: 2e-5 },
} as const;

for (const [way, { options, tolerance }] of Object.entries(WAYS)) {
  testNative(`Convolutions by ${way} equal oneDNN's`, async () => {
    const native = new NativeCpu(await nativeLibrary());
    const own = new OnednnBackend(native, options);
    const plain = new OnednnBackend(native, { tiles: false, winograd: false, small: false });
    for (let seed = 0; seed < 60; seed++) {
      const rng = new Rng(seed);
      const problem = randomProblem(rng);
      const found = allPasses(own, problem), expected = allPasses(plain, problem);
      for (const pass of ["y", "dx", "dweight"] as const) {
        const what = `${pass} of seed ${seed}, x [${problem.x.shape}], ` +
          `weight [${problem.weight.shape}], ${JSON.stringify(problem.geometry)}`;
        assertClose(found[pass], expected[pass], { tolerance, what });
      }
    }
  });
}

testNative("A changed weight changes what each way computes, whatever it keeps", async () => {
  const native = new NativeCpu(await nativeLibrary());
  for (const { options } of Object.values(WAYS)) {
    const backend = new OnednnBackend(native, options), rng = new Rng(1);
    const x = tensorOn(backend, randomValues(rng, [1, 9, 9, 32]));
    const weight = tensorOn(backend, randomValues(rng, [32, 3, 3, 32]));
    const attrs = { stride: 1, padding: 1, dilation: 1, groups: 1 } as never;
    const run = () =>
      backend.floats(
        conv2dOnednn.kernelFunc({ inputs: { x, weight }, backend, attrs }) as TensorInfo,
      ).slice();
    const before = run();
    backend.overwrite(weight, backend.floats(weight).map((value) => 2 * value));
    assertClose(run(), before.map((value) => 2 * value), { tolerance: 1e-4 });
  }
});

interface Values {
  readonly shape: number[];
  readonly values: Float32Array;
}

interface Problem {
  readonly x: Values;
  readonly weight: Values;
  readonly bias: Values;
  readonly dy: Values;
  readonly geometry: ConvGeometry;
}

/** As wide as tiles want, or a little beside it. */
function randomProblem(rng: Rng): Problem {
  const kernel = choose(rng, 1, 1, 2, 3, 3, 5), dilation = choose(rng, 1, 1, 2, 3, 4);
  const stride = choose(rng, 1, 1, 2, 3), reach = dilation * (kernel - 1);
  const padding = Math.min(choose(rng, 0, 1, dilation), reach);
  const size = () => Math.max(1, reach + 1 - 2 * padding) + rng.integer(choose(rng, 4, 20, 40));
  const x = [1 + rng.integer(9), size(), size(), 16 + rng.integer(choose(rng, 2, 40, 100))];
  const weight = [16 + rng.integer(choose(rng, 2, 40, 100)), kernel, kernel, x[3]];
  const geometry = { stride, padding, dilation, groups: 1 };
  return {
    x: randomValues(rng, x),
    weight: randomValues(rng, weight),
    bias: randomValues(rng, [weight[0]]),
    dy: randomValues(rng, convOutputShape(x, weight, geometry)),
    geometry,
  };
}

function randomValues(rng: Rng, shape: number[]): Values {
  const length = shape.reduce((product, size) => product * size, 1);
  return { shape, values: Float32Array.from({ length }, () => rng.uniform() - 0.5) };
}

function tensorOn(backend: OnednnBackend, { shape, values }: Values): TensorInfo {
  return backend.makeTensorInfo(shape, "float32", values.slice());
}

function allPasses(backend: OnednnBackend, { x, weight, bias, dy, geometry }: Problem) {
  const [xInfo, weightInfo, biasInfo, dyInfo] = [x, weight, bias, dy].map((values) =>
    tensorOn(backend, values)
  );
  const inputs = { x: xInfo, weight: weightInfo, bias: biasInfo, dy: dyInfo };
  const [, height, width] = x.shape, [, kernelHeight, kernelWidth] = weight.shape;
  const run = (kernel: typeof conv2dOnednn, attrs: object) => {
    const out = kernel.kernelFunc({ inputs, backend, attrs: attrs as never }) as TensorInfo;
    return backend.floats(out).slice();
  };
  return {
    y: run(conv2dOnednn, geometry),
    dx: run(conv2dBackwardInputOnednn, { ...geometry, height, width }),
    dweight: run(conv2dBackwardWeightOnednn, { ...geometry, kernelHeight, kernelWidth }),
  };
}
