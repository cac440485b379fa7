import type { DataType } from "@tensorflow/tfjs";

/**
 * How the elements of a tensor lie in device memory. tfjs's float32 is either of float32 and
 * bfloat16, or, for pictures fresh from the loader, uint8; int32 is int32; bool is uint8.
 */
export type StorageFormat = "float32" | "bfloat16" | "int32" | "uint8";

/** Bytes of an element. */
export const FORMAT_BYTES: Readonly<Record<StorageFormat, number>> = {
  float32: 4,
  bfloat16: 2,
  int32: 4,
  uint8: 1,
};

/** The type in CUDA C++; `bfloat16` and `uint8` are those of `native/cuda/common.cuh`. */
export const FORMAT_TYPE: Readonly<Record<StorageFormat, string>> = {
  float32: "float",
  bfloat16: "bfloat16",
  int32: "int",
  uint8: "uint8",
};

/** Typed arrays of the host that hold a tensor's values. */
export type HostValues = Float32Array | Int32Array | Uint8Array;

/** The usual format of a tfjs type. */
export function formatOf(dtype: DataType): StorageFormat {
  switch (dtype) {
    case "float32":
      return "float32";
    case "int32":
      return "int32";
    case "bool":
      return "uint8";
    default:
      throw new TypeError(
        `Cannot put ${dtype} values on the device, expected float32, int32 or bool`,
      );
  }
}

/** Values in the type that a format's elements have on the host; the same array where it fits. */
export function toFormat(values: ArrayLike<number>, format: StorageFormat): HostValues {
  if (format === "bfloat16") throw new TypeError("Cannot make bfloat16 values on the host");
  const type = format === "float32" ? Float32Array : format === "int32" ? Int32Array : Uint8Array;
  return values instanceof type ? values : type.from(values);
}

/** An array for the raw bytes of `length` elements. */
export function rawArray(format: StorageFormat, length: number): RawValues {
  switch (format) {
    case "float32":
      return new Float32Array(length);
    case "bfloat16":
      return new Uint16Array(length);
    case "int32":
      return new Int32Array(length);
    case "uint8":
      return new Uint8Array(length);
  }
}

/** Raw elements as they come from the device. */
export type RawValues =
  | Float32Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** Raw elements as values of a tfjs type; the same array where they are that already. */
export function fromRaw(raw: RawValues, dtype: DataType): HostValues {
  if (raw instanceof Uint16Array) {
    const bits = Uint32Array.from(raw, (half) => half << 16);
    return new Float32Array(bits.buffer);
  }
  return dtype === "float32" && !(raw instanceof Float32Array) ? Float32Array.from(raw) : raw;
}
