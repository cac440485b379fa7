import type { TensorInfo } from "@tensorflow/tfjs";
import type { NativeHandle } from "../../ffi/handle.ts";
import type { StepInput } from "../in_place_backend.ts";
import type { Driver } from "./bindings/driver.ts";
import type { DeviceBlock, MemoryPool } from "./memory_pool.ts";
import type { PinnedBlock, PinnedMemory } from "./pinned_memory.ts";
import type { CudaStream } from "./stream.ts";

/** One of two ways through which an input travels, so that a copy overlaps the step before. */
interface Lane {
  readonly pinned: PinnedBlock;
  readonly staged: DeviceBlock;
  /** The host's memory is free again. */
  readonly copied: NativeHandle;
  /** The device's memory is free again. */
  readonly taken: NativeHandle;
  used: boolean;
}

/** What the buffers work with. */
export interface InputDevices {
  readonly driver: Driver;
  readonly pool: MemoryPool;
  readonly pinned: PinnedMemory;
  /** Where steps run. */
  readonly compute: CudaStream;
  /** Where copies run. */
  readonly copies: CudaStream;
}

/**
 * Brings an input's values to a tensor of fixed address: host array, pinned memory, staging memory on the
 * device, tensor. Only the last and shortest way waits for the step before. What lies in memory that
 * threads share is read from there.
 */
export class StepInputBuffer implements Disposable {
  readonly #devices: InputDevices;
  readonly #lanes: readonly Lane[];
  readonly #address: bigint;
  readonly #shared = new Map<SharedArrayBuffer, boolean>();
  #turn = 0;

  /** @param tensor Whose memory the values end in; @param address where that is. */
  constructor(devices: InputDevices, readonly tensor: TensorInfo, address: bigint, bytes: number) {
    const { driver, pool, pinned } = devices;
    this.#devices = devices;
    this.#address = address;
    this.#lanes = [0, 1].map(() => ({
      pinned: pinned.take(bytes),
      staged: pool.take(bytes, "inputs"),
      copied: driver.createEvent(),
      taken: driver.createEvent(),
      used: false,
    }));
  }

  /** Queues the whole way; the host's array is free when the stream of copies is done. */
  send({ values }: StepInput): void {
    const { driver, compute, copies } = this.#devices;
    const lane = this.#lanes[this.#turn++ % this.#lanes.length];
    if (lane.used) {
      driver.synchronizeEvent(lane.copied.address);
      driver.waitEvent(copies.address, lane.taken.address);
    }
    lane.used = true;
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    driver.copyToDevice(lane.staged.address, this.#pinned(bytes, lane), copies.address);
    driver.recordEvent(lane.copied.address, copies.address);
    driver.waitEvent(compute.address, lane.copied.address);
    driver.copy(this.#address, lane.staged.address, {
      bytes: bytes.length,
      stream: compute.address,
    });
    driver.recordEvent(lane.taken.address, compute.address);
  }

  /** The bytes in memory that the device reads on its own. */
  #pinned(bytes: Uint8Array, { pinned }: Lane): Uint8Array {
    const { buffer } = bytes;
    if (buffer instanceof SharedArrayBuffer) {
      let direct = this.#shared.get(buffer);
      if (direct === undefined) {
        this.#shared.set(buffer, direct = this.#devices.pinned.hold(buffer));
      }
      if (direct) return bytes;
    }
    const host = pinned.bytes.subarray(0, bytes.length);
    host.set(bytes);
    return host;
  }

  /** Waits for what is under way, and frees all but the tensor. */
  [Symbol.dispose](): void {
    const { pool, pinned, compute, copies } = this.#devices;
    copies.synchronize();
    compute.synchronize();
    for (const memory of this.#shared.keys()) pinned.letGo(memory);
    for (const lane of this.#lanes) {
      pinned.release(lane.pinned);
      pool.release(lane.staged);
      lane.copied[Symbol.dispose]();
      lane.taken[Symbol.dispose]();
    }
  }
}
