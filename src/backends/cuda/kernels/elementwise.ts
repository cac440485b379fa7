import * as tf from "@tensorflow/tfjs";
import type { KernelConfig, TensorInfo } from "@tensorflow/tfjs";
import source from "../../../../native/cuda/elementwise.cu" with { type: "text" };
import { type CudaBackend, sizeOf } from "../backend.ts";
import { CudaProgram } from "../program.ts";
import type { StorageFormat } from "../storage.ts";
import { stridesOf } from "../strided_copy.ts";
import { overrideTfjs } from "./override_tfjs.ts";

const program = new CudaProgram("elementwise", source);

/** tfjs's names in the order of `enum Binary` of `native/cuda/elementwise.cu`. */
const BINARY = [
  "Add",
  "Sub",
  "Multiply",
  "RealDiv",
  "Maximum",
  "Minimum",
  "SquaredDifference",
  "Pow",
] as const;

/** Those that integers have, too. */
const OF_INTEGERS: readonly string[] = ["Add", "Sub", "Multiply", "Maximum", "Minimum"];

/** In the order of `enum Compare`. */
const COMPARE = ["Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual"] as const;

export const ELEMENTWISE_CUDA: readonly KernelConfig[] = [
  ...BINARY.map((name, code) =>
    overrideTfjs(name, (cuda, { inputs: { a, b } }) => {
      const integers = a.dtype === "int32" && b.dtype === "int32";
      if (integers ? !OF_INTEGERS.includes(name) : a.dtype !== "float32" || b.dtype !== "float32") {
        return undefined;
      }
      return binary(cuda, [a, b], code);
    })
  ),
  ...COMPARE.map((name, code) =>
    overrideTfjs(name, (cuda, { inputs: { a, b } }) => {
      if (a.dtype !== b.dtype || !["float32", "int32"].includes(a.dtype)) return undefined;
      const broadcast = broadcastNumbers(a.shape, b.shape);
      if (!broadcast) return undefined;
      const out = cuda.empty(broadcast.shape, "bool");
      const size = sizeOf(out.shape);
      cuda.launch(program, {
        function: "compare_broadcast",
        threads: size,
        types: { Left: a, Right: b },
        args: [a, b, out, size, code, ...broadcast.numbers],
      });
      return out;
    })
  ),
];

export const selectCuda = overrideTfjs("Select", (cuda, { inputs: { condition, t, e } }) => {
  const { shape } = t;
  const alike = [condition, e].every((other) => tf.util.arraysEqual(other.shape, shape));
  if (!alike || condition.dtype !== "bool" || t.dtype !== e.dtype || t.dtype === "bool") {
    return undefined;
  }
  const out = cuda.emptyLike(t), size = sizeOf(shape);
  cuda.launch(program, {
    function: "choose",
    threads: size,
    types: { Left: t, Right: e, Result: out },
    args: [condition, t, e, out, size],
  });
  return out;
});

function binary(
  cuda: CudaBackend,
  [a, b]: readonly [TensorInfo, TensorInfo],
  code: number,
): TensorInfo | undefined {
  const shape = tf.backend_util.assertAndGetBroadcastShape(a.shape, b.shape);
  const size = sizeOf(shape), sizes = [sizeOf(a.shape), sizeOf(b.shape)];
  const out = (format: StorageFormat) => cuda.empty(shape, a.dtype, format);
  const types = { Left: a, Right: b };
  if (sizes.every((own) => own === size || own === 1)) {
    const result = out(resultFormat(cuda, [a, b]));
    const repeats = sizes.map((own) => Number(own === 1 && size > 1));
    cuda.launch(program, {
      function: "binary",
      threads: Math.ceil(size / 4),
      types: { ...types, Result: result },
      args: [a, b, result, size, code, ...repeats],
    });
    return result;
  }
  const broadcast = broadcastNumbers(a.shape, b.shape);
  if (!broadcast) return undefined;
  const result = out(resultFormat(cuda, [a, b]));
  cuda.launch(program, {
    function: "binary_broadcast",
    threads: size,
    types: { ...types, Result: result },
    args: [a, b, result, size, code, ...broadcast.numbers],
  });
  return result;
}

/** That of the larger operand, because a single number does not say how activations are kept. */
function resultFormat(cuda: CudaBackend, operands: readonly TensorInfo[]): StorageFormat {
  const [a, b] = operands;
  return cuda.format(sizeOf(b.shape) > sizeOf(a.shape) ? b : a);
}

/**
 * Sizes of the three inner axes of a broadcast result, and strides of both operands over four axes, 0 where
 * an operand is repeated. Nothing if it takes more than four axes.
 */
function broadcastNumbers(
  a: readonly number[],
  b: readonly number[],
): { readonly shape: number[]; readonly numbers: number[] } | undefined {
  const shape = tf.backend_util.assertAndGetBroadcastShape([...a], [...b]);
  const [inA, inB] = [a, b].map((own) => broadcastStrides(own, shape));
  const axes: { size: number; a: number; b: number }[] = [];
  shape.forEach((size, k) => {
    if (size === 1) return;
    const last = axes.at(-1);
    if (last && last.a === inA[k] * size && last.b === inB[k] * size) {
      axes[axes.length - 1] = { size: last.size * size, a: inA[k], b: inB[k] };
    } else {
      axes.push({ size, a: inA[k], b: inB[k] });
    }
  });
  if (axes.length > 4) return undefined;
  while (axes.length < 4) axes.unshift({ size: 1, a: 0, b: 0 });
  return {
    shape,
    numbers: [
      ...axes.slice(1).map(({ size }) => size),
      ...axes.map((axis) => axis.a),
      ...axes.map((axis) => axis.b),
    ],
  };
}

function broadcastStrides(own: readonly number[], shape: readonly number[]): number[] {
  const missing = shape.length - own.length;
  const strides = stridesOf(own);
  return shape.map((_, k) => k < missing || own[k - missing] === 1 ? 0 : strides[k - missing]);
}
