import type { TensorInfo } from "@tensorflow/tfjs";
import source from "../../../native/cuda/copy_box.cu" with { type: "text" };
import { type CudaBackend, sizeOf } from "./backend.ts";
import { CudaProgram } from "./program.ts";
import { FORMAT_BYTES } from "./storage.ts";

const program = new CudaProgram("copy_box", source);

/** Axes that `native/cuda/copy_box.cu` takes. */
const AXES = 5;
/** Bytes of its wide word. */
const WIDE = 16;

/** A box of one tensor's elements, and where they go in another of the same format. */
export interface StridedCopy {
  readonly from: TensorInfo;
  readonly to: TensorInfo;
  /** Size of the box by axis. */
  readonly box: readonly number[];
  /** Element of `from` at which the box starts, and distance of neighbours by axis. */
  readonly fromStart?: number;
  readonly fromStrides: readonly number[];
  readonly toStart?: number;
  readonly toStrides: readonly number[];
}

interface Axis {
  readonly size: number;
  readonly from: number;
  readonly to: number;
}

/** Copies a box; see `native/cuda/copy_box.cu`. */
export function copyStrided(cuda: CudaBackend, copy: StridedCopy): void {
  const { from, to, box, fromStrides, toStrides, fromStart = 0, toStart = 0 } = copy;
  if (sizeOf(box) === 0) return;
  const axes = mergeAxes(
    box.map((size, k) => ({ size, from: fromStrides[k], to: toStrides[k] })),
  );
  const [first, ...others] = axes;
  if (axes.length > AXES) {
    for (let i = 0; i < first.size; i++) {
      copyStrided(cuda, {
        from,
        to,
        box: others.map(({ size }) => size),
        fromStart: fromStart + i * first.from,
        fromStrides: others.map(({ from }) => from),
        toStart: toStart + i * first.to,
        toStrides: others.map(({ to }) => to),
      });
    }
    return;
  }
  launchCopy(cuda, copy, inWords(axes, { fromStart, toStart, bytes: bytesOf(cuda, from) }));
}

interface Words {
  readonly word: string;
  readonly axes: readonly Axis[];
  readonly fromStart: number;
  readonly toStart: number;
}

function launchCopy(
  cuda: CudaBackend,
  { from, to }: StridedCopy,
  { word, axes, fromStart, toStart }: Words,
): void {
  const missing = new Array<Axis>(AXES - axes.length).fill({ size: 1, from: 0, to: 0 });
  const all = [...missing, ...axes];
  const size = all.reduce((product, axis) => product * axis.size, 1);
  cuda.launch(program, {
    function: "copy_box",
    threads: size,
    types: {},
    defines: { Word: word },
    args: [
      from,
      to,
      size,
      fromStart,
      toStart,
      ...all.map((axis) => axis.size),
      ...all.map((axis) => axis.from),
      ...all.map((axis) => axis.to),
    ],
  });
}

/** Distance of neighbouring elements by axis, row-major. */
export function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
}

/** Joins axes that lie behind one another in both tensors; drops those of one element. */
function mergeAxes(axes: readonly Axis[]): Axis[] {
  const merged: Axis[] = [];
  for (const axis of axes) {
    if (axis.size === 1) continue;
    const last = merged.at(-1);
    if (last && last.from === axis.from * axis.size && last.to === axis.to * axis.size) {
      merged[merged.length - 1] = { ...axis, size: last.size * axis.size };
    } else {
      merged.push(axis);
    }
  }
  return merged;
}

/** Counts in 16-byte words where that is possible, else in elements. */
function inWords(
  axes: readonly Axis[],
  { fromStart, toStart, bytes }: {
    readonly fromStart: number;
    readonly toStart: number;
    readonly bytes: number;
  },
): Words {
  const count = WIDE / bytes;
  const last = axes.at(-1);
  const others = axes.slice(0, -1);
  const numbers = [fromStart, toStart, ...others.flatMap(({ from, to }) => [from, to])];
  const whole = last !== undefined && last.from === 1 && last.to === 1 &&
    last.size % count === 0 && numbers.every((number) => number % count === 0);
  if (!whole) return { word: WORD_TYPE[bytes], axes, fromStart, toStart };
  return {
    word: "wide",
    axes: [
      ...others.map(({ size, from, to }) => ({ size, from: from / count, to: to / count })),
      { size: last.size / count, from: 1, to: 1 },
    ],
    fromStart: fromStart / count,
    toStart: toStart / count,
  };
}

/** Types of an element's size; its bits are moved as they are. */
const WORD_TYPE: Readonly<Record<number, string>> = {
  1: "uint8",
  2: "uint16",
  4: "int",
};

function bytesOf(cuda: CudaBackend, tensor: TensorInfo): number {
  return FORMAT_BYTES[cuda.format(tensor)];
}
