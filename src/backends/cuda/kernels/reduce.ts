import * as tf from "@tensorflow/tfjs";
import type { KernelConfig, TensorInfo } from "@tensorflow/tfjs";
import source from "../../../../native/cuda/reduce.cu" with { type: "text" };
import { type CudaBackend, float, sizeOf } from "../backend.ts";
import { CudaProgram } from "../program.ts";
import { transpose } from "./copy_box.ts";
import { overrideTfjs } from "./override_tfjs.ts";

const program = new CudaProgram("reduce", source);

/** Numbers of `enum Reduction` of `native/cuda/reduce.cu`. */
export const REDUCTION = { Sum: 0, Mean: 0, Max: 1, Min: 2, Prod: 3 } as const;

/** Elements that a thread, or a block of a row, should have at least. */
const FEWEST = { columns: 64, rows: 2048 } as const;
/** Rows up to this length are a thread's work, longer ones a block's. */
const SHORT = 32;

export const REDUCE_CUDA: readonly KernelConfig[] = Object.entries(REDUCTION).map(
  ([name, reduction]) =>
    overrideTfjs(name, (cuda, { inputs: { x }, attrs }) => {
      if (x.dtype !== "float32") return undefined;
      // tfjs calls the axes of a maximum otherwise.
      const axis = (attrs.axis ?? attrs.reductionIndices ?? null) as number | number[];
      const axes = tf.util.parseAxisParam(axis, x.shape);
      const sizes = axes.map((axis) => x.shape[axis]);
      const scale = name === "Mean" ? 1 / sizeOf(sizes) : 1;
      const shape = x.shape.flatMap((size, k) =>
        axes.includes(k) ? attrs.keepDims ? [1] : [] : [size]
      );
      return reduce(cuda, x, { axes, reduction, scale, shape });
    }),
);

/** What is reduced, and how. */
interface Reduction {
  readonly axes: readonly number[];
  readonly reduction: number;
  /** Factor of the result. */
  readonly scale: number;
  /** Of the result. */
  readonly shape: readonly number[];
}

function reduce(
  cuda: CudaBackend,
  x: TensorInfo,
  { axes, reduction, scale, shape }: Reduction,
): TensorInfo {
  const kept = x.shape.map((_, k) => k).filter((k) => !axes.includes(k));
  const first = Math.min(...axes), last = Math.max(...axes);
  const between = x.shape.slice(first, last + 1);
  // Axes that do not lie together are brought to the end.
  if (axes.length > 0 && sizeOf(between) !== sizeOf(axes.map((axis) => x.shape[axis]))) {
    const moved = transpose(cuda, x, [...kept, ...axes]);
    const result = reduce(cuda, moved, {
      axes: axes.map((_, i) => kept.length + i),
      reduction,
      scale,
      shape,
    });
    cuda.disposeData(moved.dataId);
    return result;
  }
  const outer = axes.length > 0 ? sizeOf(x.shape.slice(0, first)) : sizeOf(x.shape);
  const inner = axes.length > 0 ? sizeOf(x.shape.slice(last + 1)) : 1;
  const sizes = { outer, length: axes.length > 0 ? sizeOf(between) : 1, inner };
  return reduceMiddle(cuda, x, { sizes, reduction, scale, shape });
}

/** A reduction of `[outer, length, inner]`. */
export interface MiddleReduction extends Omit<Reduction, "axes"> {
  readonly sizes: { readonly outer: number; readonly length: number; readonly inner: number };
}

/** Reduces `[outer, length, inner]` along the middle, in two stages where the axis is long. */
export function reduceMiddle(
  cuda: CudaBackend,
  x: TensorInfo,
  { sizes, reduction, scale, shape }: MiddleReduction,
): TensorInfo {
  const { outer, length, inner } = sizes;
  const inRows = inner === 1 && length > SHORT;
  const blocks = inRows ? outer : Math.ceil(outer * inner / 256);
  const fewest = inRows ? FEWEST.rows : FEWEST.columns;
  const wanted = Math.ceil(4 * cuda.properties.multiprocessors / Math.max(blocks, 1));
  const splits = Math.max(1, Math.min(wanted, Math.ceil(length / fewest)));
  const result = cuda.empty(splits > 1 ? [outer, splits, inner] : shape);
  cuda.launch(program, {
    function: inRows ? "reduce_rows" : "reduce_columns",
    grid: [Math.min(blocks, 2 ** 30), 1, splits],
    block: inRows ? rowThreads(length / splits) : 256,
    args: [
      x,
      result,
      outer,
      length,
      ...(inRows ? [] : [inner]),
      reduction,
      float(splits > 1 ? 1 : scale),
    ],
  });
  if (splits === 1) return result;
  const total = reduceMiddle(cuda, result, {
    sizes: { outer, length: splits, inner },
    reduction,
    scale,
    shape,
  });
  cuda.disposeData(result.dataId);
  return total;
}

/** A power of two, not far above the length of a row. */
function rowThreads(length: number): number {
  return Math.min(256, Math.max(32, 2 ** Math.ceil(Math.log2(length))));
}
