import * as tf from "@tensorflow/tfjs";
import type { TensorInfo } from "@tensorflow/tfjs";
import type { OnednnBackend } from "../backend.ts";
import { overrideCpu } from "./override_cpu.ts";

/** Always a copy, where tfjs's own kernel may return a view of memory that is not its tensor's. */
export const sliceOnednn = overrideCpu("Slice", (cpu, { inputs: { x }, attrs }) => {
  if (x.dtype !== "float32" || x.shape.length > 4) return undefined;
  const [begin, size] = tf.slice_util.parseSliceParams(
    x as tf.Tensor,
    attrs.begin as number[],
    attrs.size as number[],
  );
  tf.slice_util.assertParamsValid(x as tf.Tensor, begin, size);
  const out = cpu.empty(size);
  copyBox(cpu, { from: x, fromAt: begin, to: out, toAt: size.map(() => 0), box: size });
  return out;
});

export const padOnednn = overrideCpu("PadV2", (cpu, { inputs: { x }, attrs }) => {
  if (x.dtype !== "float32" || x.shape.length > 4) return undefined;
  const paddings = attrs.paddings as [number, number][];
  const out = cpu.empty(x.shape.map((size, axis) => size + paddings[axis][0] + paddings[axis][1]));
  copyBox(cpu, {
    from: x,
    fromAt: x.shape.map(() => 0),
    to: out,
    toAt: paddings.map(([before]) => before),
    box: x.shape,
    fill: attrs.constantValue as number,
  });
  return out;
});

/** tfjs passes the parts as an array under the type of a record. */
export const concatOnednn = overrideCpu("Concat", (cpu, { inputs, attrs }) => {
  const parts = inputs as unknown as TensorInfo[];
  const [{ shape }] = parts;
  const axis = tf.util.parseAxisParam(attrs.axis as number, shape)[0];
  if (parts.some(({ dtype }) => dtype !== "float32") || shape.length > 4) return undefined;
  const out = cpu.empty(tf.backend_util.computeOutShape(parts.map(({ shape }) => shape), axis));
  let at = 0;
  for (const part of parts) {
    const none = shape.map(() => 0);
    const toAt = none.with(axis, at);
    copyBox(cpu, { from: part, fromAt: none, to: out, toAt, box: part.shape });
    at += part.shape[axis];
  }
  return out;
});

/** The gradient of a concatenation. */
export const splitOnednn = overrideCpu("SplitV", (cpu, { inputs: { x }, attrs }) => {
  if (x.dtype !== "float32" || x.shape.length > 4) return undefined;
  const [axis] = tf.util.parseAxisParam(attrs.axis as number, x.shape);
  const sizes = tf.backend_util.prepareSplitSize(
    x as tf.Tensor,
    attrs.numOrSizeSplits as number[] | number,
    axis,
  );
  const none = x.shape.map(() => 0);
  let from = 0;
  return sizes.map((length) => {
    const out = cpu.empty(x.shape.with(axis, length));
    copyBox(cpu, { from: x, fromAt: none.with(axis, from), to: out, toAt: none, box: out.shape });
    from += length;
    return out;
  });
});

interface BoxCopy {
  readonly from: TensorInfo;
  readonly fromAt: readonly number[];
  readonly to: TensorInfo;
  readonly toAt: readonly number[];
  /** Size of the box. */
  readonly box: readonly number[];
  /** What the rest of `to` holds; without it the box is all of `to`. */
  readonly fill?: number;
}

function copyBox(cpu: OnednnBackend, { from, fromAt, to, toAt, box, fill }: BoxCopy): void {
  cpu.run("siamban_copy_box", { from, to }, {
    integers: [
      ...fourOf(from.shape, 1),
      ...fourOf(fromAt, 0),
      ...fourOf(to.shape, 1),
      ...fourOf(toAt, 0),
      ...fourOf(box, 1),
      Number(fill !== undefined),
    ],
    reals: [fill ?? 0],
  });
}

/** Puts missing axes in front. */
function fourOf(values: readonly number[], missing: number): number[] {
  return [...new Array<number>(4 - values.length).fill(missing), ...values];
}
