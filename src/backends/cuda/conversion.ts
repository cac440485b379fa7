import type { DataType, TensorInfo } from "@tensorflow/tfjs";
import source from "../../../native/cuda/convert.cu" with { type: "text" };
import type { DeviceMemory, Launch } from "./launcher.ts";
import type { DeviceBlock } from "./memory_pool.ts";
import { CudaProgram } from "./program.ts";
import type { StorageFormat } from "./storage.ts";
import { sizeOf } from "./tensor_store.ts";

const program = new CudaProgram("convert", source);

/** Where kernels are queued. */
export interface LaunchingDevice {
  launch(program: CudaProgram, launch: Launch): void;
}

/** What makes tensors of a device, and forgets them. */
export interface ConvertingDevice extends LaunchingDevice {
  empty(shape: readonly number[], dtype: DataType, format: StorageFormat): TensorInfo;
  format(info: TensorInfo): StorageFormat;
  disposeData(dataId: object): boolean;
}

/** A tensor of the same values in another format, or of another type. */
export function convert(
  cuda: ConvertingDevice,
  x: TensorInfo,
  { dtype = x.dtype, format }: { readonly dtype?: DataType; readonly format: StorageFormat },
): TensorInfo {
  const y = cuda.empty(x.shape, dtype, format);
  queue(cuda, x, { to: y, format, boolean: dtype === "bool" });
  return y;
}

/** Converts `size` values in device memory that is no tensor's. */
export function convertMemory(
  cuda: LaunchingDevice,
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
  cuda: LaunchingDevice,
  x: TensorInfo,
  { block, format }: { readonly block: DeviceBlock; readonly format: StorageFormat },
): void {
  queue(cuda, x, { to: block, format, boolean: false });
}

function queue(
  cuda: LaunchingDevice,
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
  cuda: ConvertingDevice,
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
