import type { BackendValues } from "@tensorflow/tfjs";
import type { Driver } from "./bindings/driver.ts";
import type { PinnedMemory } from "./pinned_memory.ts";
import { FORMAT_BYTES, fromRaw, rawArray } from "./storage.ts";
import type { CudaStream } from "./stream.ts";
import type { TensorData } from "./tensor_store.ts";

/** Where values come from. */
export interface ReadingDevice {
  readonly driver: Driver;
  readonly stream: CudaStream;
  /** Host memory that the device writes on its own. */
  readonly pinned: PinnedMemory;
}

/** Reads values back that lie on the device; waits, here, for all that was queued. */
export function readTensorSync(
  { driver, stream }: ReadingDevice,
  { block, format, length, dtype }: TensorData,
): BackendValues {
  const raw = rawArray(format, length);
  driver.copyToHost(raw, block!.address, stream.address);
  stream.synchronize();
  return fromRaw(raw, dtype);
}

/** Reads values back that lie on the device, without holding up other work of this process. */
export async function readTensor(
  { driver, stream, pinned }: ReadingDevice,
  { block, format, length, dtype }: TensorData,
): Promise<BackendValues> {
  const bytes = length * FORMAT_BYTES[format];
  const memory = pinned.take(bytes);
  const view = memory.bytes.subarray(0, bytes);
  driver.copyToHost(view, block!.address, stream.address);
  try {
    await stream.passed();
    const raw = rawArray(format, length);
    new Uint8Array(raw.buffer).set(view);
    return fromRaw(raw, dtype);
  } finally {
    pinned.release(memory);
  }
}
