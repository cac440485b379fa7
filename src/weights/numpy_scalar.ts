import { PythonObject, type PythonValue, show, toPythonInteger } from "./python_value.ts";
import { WeightsFileError } from "./weights_file_error.ts";

/** A numpy element type, as far as single values need it. */
export class NumpyDtype extends PythonObject {
  littleEndian = true;

  constructor(readonly code: keyof typeof READERS) {
    super(`numpy.dtype("${code}")`);
  }
}

/** How one value is read from its bytes, and how many there are: kind and size, as numpy codes them. */
const READERS = {
  b1: [1, (view) => view.getUint8(0) !== 0],
  i1: [1, (view) => view.getInt8(0)],
  i2: [2, (view, little) => view.getInt16(0, little)],
  i4: [4, (view, little) => view.getInt32(0, little)],
  i8: [8, (view, little) => toPythonInteger(view.getBigInt64(0, little))],
  u1: [1, (view) => view.getUint8(0)],
  u2: [2, (view, little) => view.getUint16(0, little)],
  u4: [4, (view, little) => view.getUint32(0, little)],
  u8: [8, (view, little) => toPythonInteger(view.getBigUint64(0, little))],
  f2: [2, (view, little) => view.getFloat16(0, little)],
  f4: [4, (view, little) => view.getFloat32(0, little)],
  f8: [8, (view, little) => view.getFloat64(0, little)],
} as const satisfies Record<string, [number, (view: DataView, little: boolean) => PythonValue]>;

/** `numpy.dtype(code, align, copy)`. */
export function numpyDtype([code]: readonly PythonValue[]): NumpyDtype {
  if (typeof code === "string" && Object.hasOwn(READERS, code)) {
    return new NumpyDtype(code as keyof typeof READERS);
  }
  throw new WeightsFileError(
    `it has a numpy value of type ${show(code)}, expected one of ${Object.keys(READERS)}`,
  );
}

/** `dtype.__setstate__`: a tuple whose second item is the byte order. */
export function setByteOrder(dtype: NumpyDtype, state: PythonValue): void {
  const order = Array.isArray(state) ? state[1] : undefined;
  if (order !== "<" && order !== ">" && order !== "|" && order !== "=") {
    throw new WeightsFileError(`it has a ${dtype.name} without a byte order`);
  }
  dtype.littleEndian = order !== ">";
}

/** `numpy.core.multiarray.scalar(dtype, bytes)`, as a plain value. */
export function numpyScalar([dtype, bytes]: readonly PythonValue[]): PythonValue {
  if (!(dtype instanceof NumpyDtype)) throw new WeightsFileError("it has a numpy value of no type");
  const raw = typeof bytes === "string" ? latin1(bytes) : bytes;
  const [size, read] = READERS[dtype.code];
  if (!(raw instanceof Uint8Array) || raw.byteLength !== size) {
    throw new WeightsFileError(`it has a numpy ${dtype.code} value that is not of ${size} bytes`);
  }
  return read(new DataView(raw.buffer, raw.byteOffset, size), dtype.littleEndian);
}

/**
 * The bytes that a text stands for where each character is one byte: how protocol 2 writes `bytes`.
 *
 * @throws {WeightsFileError} If a character is beyond 255.
 */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => {
    const code = character.charCodeAt(0);
    if (code > 255) throw new WeightsFileError("it has bytes written as text beyond latin1");
    return code;
  });
}
