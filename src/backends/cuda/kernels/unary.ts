import type { KernelConfig, TensorInfo } from "@tensorflow/tfjs";
import source from "../../../../native/cuda/unary.cu" with { type: "text" };
import { type CudaBackend, sizeOf } from "../backend.ts";
import { CudaProgram } from "../program.ts";
import { inFormat } from "../conversion.ts";
import { overrideTfjs } from "./override_tfjs.ts";

const program = new CudaProgram("unary", source);

/** tfjs's names in the order of `enum Unary` of `native/cuda/unary.cu`. */
const UNARY = [
  "Neg",
  "Abs",
  "Exp",
  "Log",
  "Sqrt",
  "Rsqrt",
  "Square",
  "Sigmoid",
  "Tanh",
  "Reciprocal",
  "Log1p",
  "Expm1",
  "Floor",
  "Ceil",
  "Round",
  "Sign",
  "Relu",
  "Relu6",
] as const;

export const UNARY_CUDA: readonly KernelConfig[] = UNARY.map((name, code) =>
  overrideTfjs(name, (cuda, { inputs: { x } }) => {
    if (x.dtype !== "float32") return undefined;
    const y = cuda.emptyLike(x), size = sizeOf(x.shape);
    cuda.launch(program, {
      function: "unary",
      threads: Math.ceil(size / 4),
      args: [x, y, size, code],
    });
    return y;
  })
);

/** Terms that one launch adds up. */
const MOST_TERMS = 8;

/** tfjs passes the terms as an array under the type of a record. */
export const addNCuda = overrideTfjs("AddN", (cuda, { inputs }) => {
  const terms = inputs as unknown as TensorInfo[];
  return terms.every(({ dtype }) => dtype === "float32") ? addN(cuda, terms) : undefined;
});

function addN(cuda: CudaBackend, terms: readonly TensorInfo[]): TensorInfo {
  const sum = addSome(cuda, terms.slice(0, MOST_TERMS));
  const others = terms.slice(MOST_TERMS);
  if (others.length === 0) return sum;
  const total = addN(cuda, [sum, ...others]);
  cuda.disposeData(sum.dataId);
  return total;
}

function addSome(cuda: CudaBackend, terms: readonly TensorInfo[]): TensorInfo {
  const sum = cuda.emptyLike(terms[0]), size = sizeOf(sum.shape);
  inFormat(cuda, cuda.format(sum), {
    tensors: Object.fromEntries(terms.map((term, i) => [i, term])),
    run: (same) =>
      cuda.launch(program, {
        function: "add_n",
        threads: Math.ceil(size / 4),
        types: { Element: sum },
        args: [
          ...Array.from({ length: MOST_TERMS }, (_, i) => same[i]),
          sum,
          terms.length,
          size,
        ],
      }),
  });
  return sum;
}
