/** The typed array that holds each element type; 16-bit brain floats are kept as their raw bits. */
const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Float16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;

/** Element types that a {@linkcode HostTensor} can have, by their PyTorch names. */
export type DType = keyof typeof ARRAYS;

/** The typed arrays that hold tensors in host memory. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Float16Array
  | Uint16Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint8Array;

/**
 * A tensor in host memory, contiguous and row-major, in PyTorch's layout (`[out, in, kh, kw]` for a
 * convolution).
 */
export interface HostTensor {
  readonly dtype: DType;
  /** Sizes from the slowest axis to the fastest; empty for a scalar. */
  readonly shape: readonly number[];
  /** As many elements as the product of `shape`; `bfloat16` as raw bits, `bool` as 0 and 1. */
  readonly data: TypedArray;
}

/** Tensors by PyTorch key, in the order of the model. */
export type StateDict = ReadonlyMap<string, HostTensor>;

/** Whether `name` is an element type of {@linkcode HostTensor}. */
export function isDType(name: string): name is DType {
  return Object.hasOwn(ARRAYS, name);
}

/** Whether `value` has the form of a {@linkcode HostTensor}. */
export function isHostTensor(value: unknown): value is HostTensor {
  if (typeof value !== "object" || value === null || !("dtype" in value)) return false;
  return typeof value.dtype === "string" && isDType(value.dtype) && "shape" in value &&
    Array.isArray(value.shape) && "data" in value && ArrayBuffer.isView(value.data);
}

/** Bytes of one element. */
export function itemBytes(dtype: DType): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}

/**
 * Puts a type and a shape on elements, without copying them.
 *
 * @throws {TypeError} If the array's class is not the one of `dtype`.
 * @throws {RangeError} If the number of elements is not the product of `shape`.
 */
export function hostTensor(
  dtype: DType,
  shape: readonly number[],
  data: TypedArray,
): HostTensor {
  const wanted = ARRAYS[dtype];
  if (!(data instanceof wanted)) {
    throw new TypeError(
      `Cannot make a ${dtype} tensor: data is ${data.constructor.name}, expected ${wanted.name}`,
    );
  }
  if (data.length !== elementCount(shape)) {
    throw new RangeError(
      `Cannot make a tensor of shape [${shape}]: data has ${data.length} elements, expected ${
        elementCount(shape)
      }`,
    );
  }
  return { dtype, shape, data };
}

/** Reads little-endian bytes as elements; the array shares the bytes' memory, which it must own. */
export function elementsOf(dtype: DType, bytes: Uint8Array<ArrayBuffer>): TypedArray {
  // Every platform that Deno runs on is little-endian, as the files are.
  return new ARRAYS[dtype](bytes.buffer, bytes.byteOffset, bytes.byteLength / itemBytes(dtype));
}

/** The bytes of a tensor, little-endian, sharing its memory. */
export function bytesOf({ data }: HostTensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * The elements of a tensor as 32-bit floats: the tensor's own array if it holds them already, else a
 * converted copy.
 */
export function toFloat32(tensor: HostTensor): Float32Array {
  const { data, dtype } = tensor;
  if (data instanceof Float32Array) return data;
  if (data instanceof BigInt64Array) return Float32Array.from(data, Number);
  if (dtype !== "bfloat16") return Float32Array.from(data);
  // A brain float is the upper half of a 32-bit float.
  const bits = Uint32Array.from(data, (upper) => upper << 16);
  return new Float32Array(bits.buffer);
}
