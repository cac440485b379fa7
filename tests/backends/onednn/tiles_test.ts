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

/** Largest error, relative to the largest value; measured: a third of it. */
const TOLERANCES = { tf32: 2e-5, float32: 2e-6 } as const;

// Where there are no tiles, all are the same.
for (const precision of ["tf32", "float32"] as const) {
  testNative(`Convolutions on matrix tiles equal oneDNN's, precision ${precision}`, async () => {
    const native = new NativeCpu(await nativeLibrary());
    const [tiles, plain] = [{ precision }, { tiles: false }].map((options) =>
      new OnednnBackend(native, options)
    );
    for (let seed = 0; seed < 60; seed++) {
      const rng = new Rng(seed);
      const problem = randomProblem(rng);
      const found = allPasses(tiles, problem), expected = allPasses(plain, problem);
      for (const pass of ["y", "dx", "dweight"] as const) {
        const what = `${pass} of seed ${seed}, x [${problem.x.shape}], ` +
          `weight [${problem.weight.shape}], ${JSON.stringify(problem.geometry)}`;
        assertClose(found[pass], expected[pass], { tolerance: TOLERANCES[precision], what });
      }
    }
  });
}

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

function allPasses(backend: OnednnBackend, { x, weight, bias, dy, geometry }: Problem) {
  const tensor = ({ shape, values }: Values) =>
    backend.makeTensorInfo(shape, "float32", values.slice());
  const inputs = { x: tensor(x), weight: tensor(weight), bias: tensor(bias), dy: tensor(dy) };
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
