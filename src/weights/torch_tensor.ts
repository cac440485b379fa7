import {
  type DType,
  elementCount,
  elementsOf,
  type HostTensor,
  itemBytes,
  type TypedArray,
} from "./host_tensor.ts";
import { PythonObject, type PythonValue } from "./python_value.ts";
import { WeightsFileError } from "./weights_file_error.ts";

/** A run of elements in a file that tensors are views of. */
export class TorchStorage extends PythonObject {
  /**
   * @param key Its name in the file, digits.
   * @param length Elements.
   */
  constructor(readonly key: string, readonly dtype: DType, readonly length: number) {
    super(`storage ${key}`);
  }
}

/** A container whose pickle has been read and whose storages can be. */
export interface TorchContainer {
  readonly value: PythonValue;
  /** The tensors in it, still empty. */
  readonly tensors: readonly TorchTensor[];
  /** The Python names that it refers to. */
  readonly names: ReadonlySet<string>;
  /** Reads part of a storage, in elements, as little-endian bytes of their own memory. */
  read(
    storage: TorchStorage,
    range: { start: number; length: number },
  ): Promise<Uint8Array<ArrayBuffer>>;
}

/** How a tensor lies in its storage, in elements. */
export interface TensorLayout {
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

interface TorchTensorOptions {
  readonly isParameter?: boolean;
  readonly requiresGrad?: boolean;
  /** A tensor over the same elements. */
  readonly sharing?: TorchTensor;
}

/** A tensor of a PyTorch file: contiguous, whatever view of its storage it was saved as. */
export class TorchTensor implements HostTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The layout it was saved in; `data` is row-major all the same. */
  readonly layout: TensorLayout;
  /** Whether it was saved as an `nn.Parameter`. */
  readonly isParameter: boolean;
  readonly requiresGrad: boolean;
  readonly #data: { read?: TypedArray };

  constructor(
    layout: TensorLayout,
    { isParameter = false, requiresGrad = false, sharing }: TorchTensorOptions = {},
  ) {
    this.dtype = layout.storage.dtype;
    this.shape = layout.shape;
    this.layout = layout;
    this.isParameter = isParameter;
    this.requiresGrad = requiresGrad;
    this.#data = sharing ? sharing.#data : {};
  }

  get data(): TypedArray {
    if (this.#data.read) return this.#data.read;
    throw new TypeError("Cannot use a tensor before its file is read");
  }

  /** A parameter over the same elements. */
  asParameter(requiresGrad: boolean): TorchTensor {
    return new TorchTensor(this.layout, { isParameter: true, requiresGrad, sharing: this });
  }

  /** Gives the tensor its elements; part of reading a file. */
  fill(data: TypedArray): void {
    this.#data.read = data;
  }
}

/** PyTorch's own limit. */
const MOST_AXES = 64;

/**
 * Checks that a layout stays inside its storage.
 *
 * @throws {WeightsFileError} If a number is negative, not an integer or leads outside.
 */
export function checkLayout(
  storage: TorchStorage,
  { offset, shape, strides }: { offset: PythonValue; shape: PythonValue; strides: PythonValue },
): TensorLayout {
  const refuse = (fault: string) => {
    throw new WeightsFileError(`a tensor over ${storage.name} ${fault}`);
  };
  if (!isSize(offset) || !areSizes(shape) || !areSizes(strides)) {
    return refuse("has an offset, size or stride that is not a count");
  }
  if (shape.length !== strides.length || shape.length > MOST_AXES) {
    return refuse(`has ${shape.length} sizes and ${strides.length} strides`);
  }
  const layout = { storage, offset, shape, strides };
  const { start, length } = spanOf(layout);
  // Both sides of the sum are checked: beyond 2^53 it would be rounded.
  if (!Number.isSafeInteger(start + length) || start + length > storage.length) {
    return refuse(
      `of shape [${shape}], strides [${strides}] and offset ${offset} needs ${start + length} ` +
        `elements, the storage has ${storage.length}`,
    );
  }
  if (!Number.isSafeInteger(elementCount(shape))) return refuse(`has the absurd shape [${shape}]`);
  return layout;
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function areSizes(values: PythonValue): values is readonly number[] {
  return Array.isArray(values) && values.every(isSize);
}

/** The elements of its storage from the first to the last that a tensor uses. */
export function spanOf(
  { shape, strides, offset }: TensorLayout,
): { start: number; length: number } {
  if (shape.includes(0)) return { start: offset, length: 0 };
  const last = shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis], 0);
  return { start: offset, length: last + 1 };
}

/** Bytes in memory that reading a tensor costs: what is read and, for a view, what is made of it. */
export function readingCost(layout: TensorLayout): number {
  const item = itemBytes(layout.storage.dtype);
  const read = spanOf(layout).length * item;
  return isContiguous(layout) ? read : read + elementCount(layout.shape) * item;
}

function isContiguous({ shape, strides }: TensorLayout): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis];
  }
  return true;
}

/**
 * Turns the bytes of a tensor's span into its elements, row-major.
 *
 * @param bytes The span, in memory of its own; a contiguous tensor keeps it.
 */
export function materialise(layout: TensorLayout, bytes: Uint8Array<ArrayBuffer>): TypedArray {
  const { storage: { dtype }, shape } = layout;
  if (shape.includes(0)) return elementsOf(dtype, new Uint8Array());
  if (isContiguous(layout)) return elementsOf(dtype, bytes);
  // Bits are copied, not numbers: a NaN keeps its payload.
  const from = BITS[itemBytes(dtype)](bytes.buffer);
  const to = BITS[itemBytes(dtype)](new ArrayBuffer(elementCount(shape) * itemBytes(dtype)));
  gather(from, to, layout);
  return elementsOf(dtype, new Uint8Array(to.buffer));
}

type Bits = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;
type WideBits = BigUint64Array<ArrayBuffer>;

const BITS: Record<number, (buffer: ArrayBuffer) => Bits | WideBits> = {
  1: (buffer) => new Uint8Array(buffer),
  2: (buffer) => new Uint16Array(buffer),
  4: (buffer) => new Uint32Array(buffer),
  8: (buffer) => new BigUint64Array(buffer),
};

/** Copies a strided view, which begins at `from[0]`, in row-major order. */
function gather(
  from: Bits | WideBits,
  to: Bits | WideBits,
  { shape, strides }: TensorLayout,
): void {
  const rowLength = shape.at(-1)!;
  const rowStride = strides.at(-1)!;
  const index = shape.map(() => 0);
  let start = 0;
  for (let at = 0; at < to.length;) {
    for (let i = 0; i < rowLength; i++) to[at++] = from[start + i * rowStride];
    // Count the outer axes up by one, as an odometer does.
    for (let axis = shape.length - 2; axis >= 0; axis--) {
      start += strides[axis];
      if (++index[axis] < shape[axis]) break;
      start -= shape[axis] * strides[axis];
      index[axis] = 0;
    }
  }
}

/** Size of a storage in bytes, checked against what the file holds. */
export function checkStorageBytes(storage: TorchStorage, found: number): void {
  const expected = storage.length * itemBytes(storage.dtype);
  if (found === expected) return;
  throw new WeightsFileError(`${storage.name} has ${found} bytes, expected ${expected}`);
}
