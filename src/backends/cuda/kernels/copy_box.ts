import * as tf from "@tensorflow/tfjs";
import type { TensorInfo } from "@tensorflow/tfjs";
import type { CudaBackend } from "../backend.ts";
import { copyStrided, stridesOf } from "../strided_copy.ts";
import { inFormat } from "../conversion.ts";
import { fill } from "./fill.ts";
import { overrideTfjs } from "./override_tfjs.ts";

export const sliceCuda = overrideTfjs("Slice", (cuda, { inputs: { x }, attrs }) => {
  const [begin, size] = tf.slice_util.parseSliceParams(
    x as tf.Tensor,
    attrs.begin as number[],
    attrs.size as number[],
  );
  tf.slice_util.assertParamsValid(x as tf.Tensor, begin, size);
  return slice(cuda, x, { begin, size });
});

export const padCuda = overrideTfjs("PadV2", (cuda, { inputs: { x }, attrs }) => {
  const paddings = attrs.paddings as [before: number, after: number][];
  const shape = x.shape.map((size, axis) => size + paddings[axis][0] + paddings[axis][1]);
  const padded = cuda.emptyLike(x, shape);
  fill(cuda, padded, attrs.constantValue as number);
  put(cuda, x, { into: padded, at: paddings.map(([before]) => before) });
  return padded;
});

/** tfjs passes the parts as an array under the type of a record. */
export const concatCuda = overrideTfjs("Concat", (cuda, { inputs, attrs }) => {
  const parts = inputs as unknown as TensorInfo[];
  const [axis] = tf.util.parseAxisParam(attrs.axis as number, parts[0].shape);
  return concat(cuda, parts, axis);
});

export const packCuda = overrideTfjs("Pack", (cuda, { inputs, attrs }) => {
  const parts = inputs as unknown as TensorInfo[];
  const { shape } = parts[0];
  const axis = (attrs.axis as number + shape.length + 1) % (shape.length + 1);
  const unsqueezed = parts.map((part) => ({
    ...part,
    shape: [...shape.slice(0, axis), 1, ...shape.slice(axis)],
  }));
  return concat(cuda, unsqueezed, axis);
});

export const splitCuda = overrideTfjs("SplitV", (cuda, { inputs: { x }, attrs }) => {
  const [axis] = tf.util.parseAxisParam(attrs.axis as number, x.shape);
  const sizes = tf.backend_util.prepareSplitSize(
    x as tf.Tensor,
    attrs.numOrSizeSplits as number[] | number,
    axis,
  );
  let from = 0;
  return sizes.map((length) => {
    const begin = x.shape.map((_, k) => k === axis ? from : 0);
    const size = x.shape.map((whole, k) => k === axis ? length : whole);
    from += length;
    return slice(cuda, x, { begin, size });
  });
});

export const unpackCuda = overrideTfjs("Unpack", (cuda, { inputs: { value }, attrs }) => {
  const [axis] = tf.util.parseAxisParam(attrs.axis as number, value.shape);
  const size = value.shape.map((whole, k) => k === axis ? 1 : whole);
  return Array.from({ length: value.shape[axis] }, (_, i) => {
    const begin = value.shape.map((_, k) => k === axis ? i : 0);
    const part = slice(cuda, value, { begin, size });
    return { ...part, shape: part.shape.filter((_, k) => k !== axis) };
  });
});

export const transposeCuda = overrideTfjs(
  "Transpose",
  (cuda, { inputs: { x }, attrs }) => transpose(cuda, x, attrs.perm as number[]),
);

export const reverseCuda = overrideTfjs("Reverse", (cuda, { inputs: { x }, attrs }) => {
  const axes = tf.util.parseAxisParam(attrs.dims as number[], x.shape);
  const reversed = cuda.emptyLike(x), strides = stridesOf(x.shape);
  copyStrided(cuda, {
    from: x,
    to: reversed,
    box: x.shape,
    fromStart: axes.reduce((sum, axis) => sum + (x.shape[axis] - 1) * strides[axis], 0),
    fromStrides: strides.map((stride, axis) => axes.includes(axis) ? -stride : stride),
    toStrides: strides,
  });
  return reversed;
});

export const tileCuda = overrideTfjs("Tile", (cuda, { inputs: { x }, attrs }) => {
  const reps = attrs.reps as number[];
  const tiled = cuda.emptyLike(x, x.shape.map((size, axis) => size * reps[axis]));
  const strides = stridesOf(tiled.shape);
  // Each axis as two: the copies, which all read the same, and the original.
  copyStrided(cuda, {
    from: x,
    to: tiled,
    box: x.shape.flatMap((size, axis) => [reps[axis], size]),
    fromStrides: stridesOf(x.shape).flatMap((stride) => [0, stride]),
    toStrides: strides.flatMap((stride, axis) => [stride * x.shape[axis], stride]),
  });
  return tiled;
});

/** Moves axes; axis `k` of the result is axis `order[k]` of the tensor. */
export function transpose(
  cuda: CudaBackend,
  x: TensorInfo,
  order: readonly number[],
): TensorInfo {
  const shape = order.map((axis) => x.shape[axis]);
  const moved = cuda.emptyLike(x, shape), strides = stridesOf(x.shape);
  copyStrided(cuda, {
    from: x,
    to: moved,
    box: shape,
    fromStrides: order.map((axis) => strides[axis]),
    toStrides: stridesOf(shape),
  });
  return moved;
}

function slice(
  cuda: CudaBackend,
  x: TensorInfo,
  { begin, size }: { readonly begin: readonly number[]; readonly size: readonly number[] },
): TensorInfo {
  const part = cuda.emptyLike(x, size), strides = stridesOf(x.shape);
  copyStrided(cuda, {
    from: x,
    to: part,
    box: size,
    fromStart: begin.reduce((sum, at, axis) => sum + at * strides[axis], 0),
    fromStrides: strides,
    toStrides: stridesOf(size),
  });
  return part;
}

function concat(cuda: CudaBackend, parts: readonly TensorInfo[], axis: number): TensorInfo {
  const shape = [...parts[0].shape];
  shape[axis] = parts.reduce((sum, part) => sum + part.shape[axis], 0);
  const whole = cuda.emptyLike(parts[0], shape);
  let at = 0;
  for (const part of parts) {
    inFormat(cuda, cuda.format(whole), {
      tensors: { part },
      run: ({ part }) =>
        put(cuda, part, { into: whole, at: shape.map((_, k) => k === axis ? at : 0) }),
    });
    at += part.shape[axis];
  }
  return whole;
}

/** Copies a whole tensor into a larger one. */
function put(
  cuda: CudaBackend,
  part: TensorInfo,
  { into, at }: { readonly into: TensorInfo; readonly at: readonly number[] },
): void {
  const strides = stridesOf(into.shape);
  copyStrided(cuda, {
    from: part,
    to: into,
    box: part.shape,
    fromStrides: stridesOf(part.shape),
    toStart: at.reduce((sum, position, axis) => sum + position * strides[axis], 0),
    toStrides: strides,
  });
}
