import type { DataType, TensorInfo } from "@tensorflow/tfjs";
import source from "../../../../native/cuda/convert.cu" with { type: "text" };
import { type CudaBackend, sizeOf } from "../backend.ts";
import type { DeviceMemory } from "../launcher.ts";
import type { DeviceBlock } from "../memory_pool.ts";
import { CudaProgram } from "../program.ts";
import { formatOf, type StorageFormat } from "../storage.ts";
import { overrideTfjs } from "./override_tfjs.ts";

const program = new CudaProgram("convert", source);

export const castCuda = overrideTfjs("Cast", (cuda, { inputs: { x }, attrs }) => {
  const dtype = attrs.dtype as DataType;
  if (dtype === x.dtype) return cuda.share(x);
  return convert(cuda, x, { dtype, format: formatOf(dtype) });
});

/** A tensor of the same values in another format, or of another type. */
export function convert(
  cuda: CudaBackend,
  x: TensorInfo,
  { dtype = x.dtype, format }: { readonly dtype?: DataType; readonly format: StorageFormat },
): TensorInfo {
  const y = cuda.empty(x.shape, dtype, format);
  queue(cuda, x, { to: y, format, boolean: dtype === "bool" });
  return y;
}

/** Converts `size` values in device memory that is no tensor's. */
export function convertMemory(
  cuda: CudaBackend,
  { from, source, to, target, size }: {
    readonly from: DeviceMemory;
    readonly source: StorageFormat;
    readonly to: DeviceMemory;
    readonly target: StorageFormat;
    readonly size: number;
  },
): void {
  cuda.launch(program, {
    function: "convert",
    threads: Math.ceil(size / 4),
    types: { Source: source, Target: target },
    args: [from, to, size, 0],
  });
}

/** Writes the values of a tensor in another format to a block. */
export function convertTo(
  cuda: CudaBackend,
  x: TensorInfo,
  { block, format }: { readonly block: DeviceBlock; readonly format: StorageFormat },
): void {
  queue(cuda, x, { to: block, format, boolean: false });
}

function queue(
  cuda: CudaBackend,
  x: TensorInfo,
  { to, format, boolean }: {
    readonly to: TensorInfo | DeviceBlock;
    readonly format: StorageFormat;
    readonly boolean: boolean;
  },
): void {
  const size = sizeOf(x.shape);
  cuda.launch(program, {
    function: "convert",
    threads: Math.ceil(size / 4),
    types: { Source: x, Target: format },
    args: [x, to, size, Number(boolean)],
  });
}

/**
 * Runs a kernel whose operands must lie in one format, on converted copies of those that do not.
 *
 * @param format The wanted one.
 * @param tensors Absent ones stay so.
 */
export function inFormat<T extends Record<string, TensorInfo | undefined>, R>(
  cuda: CudaBackend,
  format: StorageFormat,
  { tensors, run }: { readonly tensors: T; readonly run: (same: T) => R },
): R {
  const copies: TensorInfo[] = [];
  const same = Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => {
      if (tensor === undefined || cuda.format(tensor) === format) return [name, tensor];
      const copy = convert(cuda, tensor, { format });
      copies.push(copy);
      return [name, copy];
    }),
  ) as T;
  const result = run(same);
  for (const { dataId } of copies) cuda.disposeData(dataId);
  return result;
}
