import * as tf from "@tensorflow/tfjs";
import type { DataType, TensorInfo } from "@tensorflow/tfjs";
import type { DeviceBlock } from "./memory_pool.ts";
import {
  FORMAT_BYTES,
  formatOf,
  type HostValues,
  type StorageFormat,
  toFormat,
} from "./storage.ts";

/** A tensor's values, on the device or still on the host, and who uses them. */
export interface TensorData {
  readonly dtype: DataType;
  readonly format: StorageFormat;
  /** Number of elements. */
  readonly length: number;
  block?: DeviceBlock;
  /** Values that no kernel has asked for yet. */
  host?: HostValues;
  /** Tensors that share the values. */
  refCount: number;
  /** Changes in place. */
  version: number;
}

/** Values of the host that become a tensor. */
export interface HostTensor {
  readonly values: tf.BackendValues | null;
  readonly shape: readonly number[];
  readonly dtype: DataType;
}

/** The data of a backend's tensors. Values of the host go to the device when a kernel asks for them. */
export class TensorStore {
  readonly #data: tf.DataStorage<TensorData>;
  readonly #upload: (values: HostValues, bytes: number) => DeviceBlock;

  /** @param upload Copies values into new memory of the device. */
  constructor(
    backend: tf.KernelBackend,
    upload: (values: HostValues, bytes: number) => DeviceBlock,
  ) {
    this.#data = new tf.DataStorage(backend, tf.engine());
    this.#upload = upload;
  }

  /** Number of tensors, those that share values counted once. */
  get count(): number {
    return this.#data.numDataIds();
  }

  /** What is known of a tensor's values. */
  get({ dataId }: Pick<TensorInfo, "dataId">): TensorData {
    return this.#data.get(dataId);
  }

  /** A new tensor whose values lie, or will lie, in a block of the device. */
  addBlock(
    block: DeviceBlock,
    { shape, dtype, format }: {
      readonly shape: readonly number[];
      readonly dtype: DataType;
      readonly format: StorageFormat;
    },
  ): TensorInfo {
    const dataId = {};
    const length = sizeOf(shape);
    this.#data.set(dataId, { dtype, format, length, block, refCount: 1, version: 0 });
    return { dataId, shape: [...shape], dtype };
  }

  /** A new tensor of the host's values, under an identity of its own or a given one. */
  addValues(
    { values, shape, dtype }: HostTensor,
    { dataId = {}, refCount = 1 }: { readonly dataId?: object; readonly refCount?: number } = {},
  ): TensorInfo {
    const format = formatOf(dtype);
    const length = sizeOf(shape);
    // A copy: the device takes the values later, and the caller may change them meanwhile.
    const host = toFormat((values ?? new Float32Array(length)) as ArrayLike<number>, format)
      .slice();
    this.#data.set(dataId, { dtype, format, length, host, refCount, version: 0 });
    return { dataId, shape: [...shape], dtype };
  }

  /** Address of a tensor's memory; brings its values there if need be. */
  address(info: Pick<TensorInfo, "dataId">): bigint {
    const data = this.get(info);
    if (data.block === undefined) {
      data.block = this.#upload(data.host!, data.length * FORMAT_BYTES[data.format]);
      data.host = undefined;
    }
    return data.block.address;
  }

  /** Counts a change in place, of values that may be gone. */
  touch(dataId: object): void {
    if (this.#data.has(dataId)) this.#data.get(dataId).version++;
  }

  /** Counts one more tensor that shares values. */
  share(dataId: object): void {
    this.#data.get(dataId).refCount++;
  }

  /** Tensors that share values; 0 when they are gone. */
  refCount(dataId: object): number {
    return this.#data.has(dataId) ? this.#data.get(dataId).refCount : 0;
  }

  /**
   * Counts one tensor less.
   *
   * @param force Whether the values go even if others share them.
   * @returns The values, if they are forgotten now, for their memory to be given back.
   */
  drop(dataId: object, force: boolean): TensorData | undefined {
    const data = this.#data.get(dataId);
    if (--data.refCount > 0 && !force) return undefined;
    this.#data.delete(dataId);
    return data;
  }
}

/** Number of elements. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
