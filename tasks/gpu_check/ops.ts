/** Every op on the device against the same op in plain TypeScript. */
import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor1D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import {
  activate,
  batchNorm,
  conv2d,
  foldedConv2d,
  iouLoss,
  maxPool2d,
  Rng,
  selectCrossEntropy,
  useBackend,
  xcorrDepthwise,
} from "../../mod.ts";
import type { Scale, Section } from "./section.ts";

type Precision = "float32" | "tf32" | "bf16";

/** Largest difference from float32, relative to the largest value of a result. */
const TOLERANCE: Readonly<Record<Precision, number>> = { float32: 2e-5, tf32: 5e-3, bf16: 4e-2 };

/** An op with its inputs: shapes of tensors drawn from a normal distribution. */
interface Case {
  readonly name: string;
  readonly inputs: readonly (readonly number[])[];
  readonly run: (...inputs: Tensor[]) => Tensor;
}

const as4 = (tensor: Tensor) => tensor as Tensor4D;
const as1 = (tensor: Tensor) => tensor as Tensor1D;
const VECTOR_OPTIONS = { epsilon: 1e-5, momentum: 0.1 } as const;

function conv(x: number[], weight: number[], options: Parameters<typeof conv2d>[2]): Case {
  return {
    name: `conv2d [${x}] with [${weight}] ${JSON.stringify(options)}`,
    inputs: [x, weight],
    run: (x, w) => conv2d(as4(x), as4(w), options),
  };
}

function norm(training: boolean, activation: "none" | "relu" | "relu6"): Case {
  return {
    name: `batchNorm, ${training ? "training" : "evaluation"}, ${activation}`,
    inputs: [[2, 9, 7, 12], [12], [12], [2, 9, 7, 12]],
    run: (x, weight, bias, residual) => {
      const running = {
        runningMean: tf.zeros<tf.Rank.R1>([12]),
        runningVar: tf.ones<tf.Rank.R1>([12]),
      };
      return batchNorm(as4(x), { weight: as1(weight), bias: as1(bias), ...running }, {
        ...VECTOR_OPTIONS,
        training,
        activation,
        residual: as4(residual),
      });
    },
  };
}

const labels = () => tf.tensor([1, 0, -1, 1, 0, 1, 0, 0, -1], [1, 3, 3], "int32") as Tensor3D;

const CASES: readonly Case[] = [
  conv([2, 31, 31, 8], [16, 3, 3, 8], { padding: 1 }),
  conv([1, 35, 35, 3], [8, 7, 7, 3], { stride: 2 }),
  conv([2, 15, 15, 16], [16, 3, 3, 16], { padding: 4, dilation: 4 }),
  conv([2, 17, 17, 32], [8, 1, 1, 32], {}),
  conv([2, 13, 13, 12], [12, 3, 3, 1], { padding: 1, groups: 12 }),
  conv([2, 12, 12, 8], [12, 3, 3, 4], { padding: 1, groups: 2, stride: 2 }),
  norm(true, "relu"),
  norm(true, "none"),
  norm(false, "relu6"),
  {
    name: "activate, relu",
    inputs: [[2, 5, 7, 9]],
    run: (x) => activate(as4(x), "relu"),
  },
  {
    name: "maxPool2d",
    inputs: [[2, 15, 15, 12]],
    run: (x) => maxPool2d(as4(x), { kernel: 3, stride: 2, padding: 1 }),
  },
  {
    name: "xcorrDepthwise, the head's",
    inputs: [[2, 29, 29, 32], [2, 5, 5, 32]],
    run: (x, z) => xcorrDepthwise(as4(x), as4(z)),
  },
  {
    name: "xcorrDepthwise, padded, 5 channels",
    inputs: [[2, 9, 8, 5], [2, 3, 3, 5]],
    run: (x, z) => xcorrDepthwise(as4(x), as4(z), { padding: 2 }),
  },
  {
    name: "selectCrossEntropy",
    inputs: [[1, 3, 3, 2]],
    run: (logits) => selectCrossEntropy(as4(logits), labels()),
  },
  {
    name: "iouLoss",
    inputs: [[18, 4]],
    run: (pred) => iouLoss(pred.exp(), tf.fill([18, 4], 0.7), { weight: tf.ones([18]) }),
  },
  {
    name: "slice, softmax, sum, exp and broadcasting",
    inputs: [[2, 7, 7, 8], [3]],
    run: (x, weight) =>
      x.slice([0, 1, 1, 0], [2, 5, 5, 8]).mul(tf.softmax(weight).slice([1], [1])).exp().sum([1, 2]),
  },
];

/** Values and gradients of a case, drawn from the same numbers on every backend. */
function evaluate({ inputs, run }: Case): Float32Array[] {
  return tf.tidy(() => {
    const rng = new Rng(11);
    const draw = (shape: readonly number[]) => {
      const size = shape.reduce((product, length) => product * length, 1);
      return tf.tensor(Float32Array.from({ length: size }, () => rng.normal()), [...shape]);
    };
    const tensors = inputs.map(draw);
    const y = run(...tensors);
    const dy = draw(y.shape);
    return [y, ...tf.grads(run)(tensors, dy)].map((tensor) => tensor.dataSync() as Float32Array);
  });
}

function deviation(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let largest = 0, difference = 0;
  for (let i = 0; i < wanted.length; i++) {
    largest = Math.max(largest, Math.abs(wanted[i]));
    const off = Math.abs(found[i] - wanted[i]);
    if (!(off <= difference)) difference = Number.isNaN(off) ? Infinity : off;
  }
  return difference / (largest || 1);
}

/** A folded convolution has no gradient. */
const FOLDED = () =>
  tf.tidy(() => {
    const rng = new Rng(5);
    const draw = (size: number, shift = 0) =>
      Float32Array.from({ length: size }, () => shift + rng.uniform());
    const y = foldedConv2d(
      tf.tensor4d(draw(2 * 11 * 11 * 8, -0.5), [2, 11, 11, 8]),
      tf.tensor4d(draw(16 * 9 * 8, -0.5), [16, 3, 3, 8]),
      {
        stride: 1,
        padding: 1,
        dilation: 1,
        groups: 1,
        activation: "relu",
        epsilon: 1e-5,
        norm: {
          weight: tf.tensor1d(draw(16)),
          bias: tf.tensor1d(draw(16)),
          runningMean: tf.tensor1d(draw(16)),
          runningVar: tf.tensor1d(draw(16, 0.5)),
        },
        residual: tf.tensor4d(draw(2 * 11 * 11 * 16), [2, 11, 11, 16]),
      },
    );
    return y.dataSync() as Float32Array;
  });

async function onBackend<T>(
  name: "reference" | Scale["device"],
  precision: Precision,
  run: () => T,
): Promise<T> {
  await using _ = await useBackend(name, { precision });
  return run();
}

/** Compares all ops in all precisions. */
export async function checkOps({ device }: Scale): Promise<Omit<Section, "name">> {
  const all = () => [...CASES.map(evaluate), [FOLDED()]];
  const names = [...CASES.map(({ name }) => name), "foldedConv2d with norm and residual"];
  const expected = await onBackend("reference", "float32", all);
  const worst: Record<string, number> = {};
  const failures: string[] = [];
  for (const precision of ["float32", "tf32", "bf16"] as const) {
    const found = await onBackend(device, precision, all);
    names.forEach((name, i) => {
      const off = Math.max(...found[i].map((values, k) => deviation(values, expected[i][k])));
      worst[precision] = Math.max(worst[precision] ?? 0, off);
      if (!(off <= TOLERANCE[precision])) failures.push(`${name} in ${precision}: ${off}`);
    });
  }
  return {
    status: failures.length === 0 ? "ok" : "failed",
    detail: failures.length === 0
      ? `${names.length} ops with their gradients in 3 precisions equal plain TypeScript`
      : failures.join("; "),
    figures: Object.entries(worst).map(([precision, value]) => ({
      name: `largest deviation in ${precision}`,
      value,
      unit: `of the largest value, at most ${TOLERANCE[precision as Precision]}`,
    })),
    facts: { failures },
  };
}
