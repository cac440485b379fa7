import { elementCount, type HostTensor, isHostTensor } from "./host_tensor.ts";
import { OrderedDict } from "./python_value.ts";

/**
 * A value that {@linkcode writeTorchFile} can write. Arrays become lists, frozen arrays tuples; maps
 * and plain objects dicts, {@linkcode OrderedDict}s `OrderedDict`s; whole numbers `int`, others
 * `float`; `Uint8Array`s `bytes`.
 */
export type TorchWritable =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | HostTensor
  | readonly TorchWritable[]
  | ReadonlyMap<TorchWritable, TorchWritable>
  | { readonly [key: string]: TorchWritable };

/** The storage that holds a tensor's elements, as a pickle names it. */
export interface StorageReference {
  readonly key: string;
  /** `"FloatStorage"` and so on, of module `torch`. */
  readonly type: string;
}

/** Values inside each other; deeper ones are most likely a value that contains itself. */
const DEEPEST = 1000;

/**
 * Pickles a value, protocol 2.
 *
 * @param storageOf Assigns a storage to a tensor.
 * @throws {RangeError} If a value contains itself.
 * @throws {TypeError} If a value has no Python counterpart.
 */
export function pickle(
  value: TorchWritable,
  storageOf: (tensor: HostTensor) => StorageReference,
): Uint8Array {
  const writer = new PickleWriter(storageOf);
  writer.opcode("\x80\x02");
  writer.value(value, 0);
  writer.opcode(".");
  return writer.bytes();
}

class PickleWriter {
  readonly #storageOf: (tensor: HostTensor) => StorageReference;
  #bytes = new Uint8Array(1 << 12);
  #length = 0;

  constructor(storageOf: (tensor: HostTensor) => StorageReference) {
    this.#storageOf = storageOf;
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** Room for `count` more bytes. */
  #extend(count: number): DataView {
    if (this.#length + count > this.#bytes.byteLength) {
      const longer = new Uint8Array(2 * (this.#length + count));
      longer.set(this.#bytes);
      this.#bytes = longer;
    }
    this.#length += count;
    return new DataView(this.#bytes.buffer, this.#length - count, count);
  }

  #append(bytes: Uint8Array): void {
    this.#extend(bytes.byteLength);
    this.#bytes.set(bytes, this.#length - bytes.byteLength);
  }

  /** Opcodes and their text arguments, one byte a character. */
  opcode(text: string): void {
    this.#append(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  }

  value(value: TorchWritable, depth: number): void {
    if (depth > DEEPEST) throw new RangeError("Cannot write a value that contains itself");
    if (value === null) this.opcode("N");
    else if (typeof value === "boolean") this.opcode(value ? "\x88" : "\x89");
    else if (typeof value === "string") this.#text(value);
    else if (typeof value === "bigint") this.#integer(value);
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "object") this.#object(value, depth + 1);
    else throw new TypeError(`Cannot write a ${typeof value}: Python has no counterpart`);
  }

  #object(value: TorchWritable & object, depth: number): void {
    if (value instanceof Uint8Array) return this.#byteString(value);
    if (isHostTensor(value)) return this.#tensor(value, depth);
    if (Array.isArray(value)) return this.#array(value, depth);
    if (value instanceof OrderedDict) return this.#orderedDict(value, depth);
    if (value instanceof Map) return this.#dict(value, depth);
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      throw new TypeError(`Cannot write a ${value.constructor.name}: Python has no counterpart`);
    }
    this.#dict(Object.entries(value), depth);
  }

  #text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.opcode("X");
    this.#extend(4).setUint32(0, bytes.byteLength, true);
    this.#append(bytes);
  }

  /** As Python 3 does in protocol 2, which has no opcode for bytes. */
  #byteString(bytes: Uint8Array): void {
    this.opcode("c_codecs\nencode\n");
    this.#text(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    this.#text("latin1");
    this.opcode("\x86R");
  }

  #number(value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) return this.#integer(BigInt(value));
    this.opcode("G");
    this.#extend(8).setFloat64(0, value, false);
  }

  #integer(value: bigint): void {
    if (value >= 0n && value < 1n << 8n) {
      this.opcode("K");
      this.#extend(1).setUint8(0, Number(value));
    } else if (value === BigInt.asIntN(32, value)) {
      this.opcode("J");
      this.#extend(4).setInt32(0, Number(value), true);
    } else {
      this.#longInteger(value);
    }
  }

  /** Two's complement, the lowest byte first, with room for the sign. */
  #longInteger(value: bigint): void {
    const bytes: number[] = [];
    for (let rest = value;; rest >>= 8n) {
      bytes.push(Number(rest & 0xffn));
      if (rest === BigInt.asIntN(8, rest)) break;
    }
    if (bytes.length > 255) throw new RangeError("Cannot write an integer of more than 255 bytes");
    this.opcode("\x8a");
    this.#extend(1).setUint8(0, bytes.length);
    this.#append(Uint8Array.from(bytes));
  }

  #array(values: readonly TorchWritable[], depth: number): void {
    const isTuple = Object.isFrozen(values);
    this.opcode(isTuple ? "(" : "](");
    for (const value of values) this.value(value, depth);
    this.opcode(isTuple ? "t" : "e");
  }

  #dict(entries: Iterable<readonly [TorchWritable, TorchWritable]>, depth: number): void {
    this.opcode("}");
    this.#entries(entries, depth);
  }

  #entries(entries: Iterable<readonly [TorchWritable, TorchWritable]>, depth: number): void {
    this.opcode("(");
    for (const [key, value] of entries) {
      this.value(key, depth);
      this.value(value, depth);
    }
    this.opcode("u");
  }

  #orderedDict(dict: OrderedDict, depth: number): void {
    this.opcode("ccollections\nOrderedDict\n)R");
    this.#entries(dict as ReadonlyMap<TorchWritable, TorchWritable>, depth);
    if (dict.metadata === undefined) return;
    this.#dict([["_metadata", dict.metadata as TorchWritable]], depth);
    this.opcode("b");
  }

  /** `_rebuild_tensor_v2(storage, offset, sizes, strides, requires_grad, hooks)`. */
  #tensor(tensor: HostTensor, depth: number): void {
    const { key, type } = this.#storageOf(tensor);
    this.opcode("ctorch._utils\n_rebuild_tensor_v2\n((");
    this.#text("storage");
    this.opcode(`ctorch\n${type}\n`);
    this.#text(key);
    this.#text("cpu");
    this.#integer(BigInt(elementCount(tensor.shape)));
    this.opcode("tQ");
    this.#integer(0n);
    this.#array(Object.freeze([...tensor.shape]), depth);
    this.#array(Object.freeze(rowMajorStrides(tensor.shape)), depth);
    this.opcode("\x89ccollections\nOrderedDict\n)RtR");
  }
}

/** Strides as PyTorch gives them to a contiguous tensor: an empty axis counts as one element. */
function rowMajorStrides(shape: readonly number[]): number[] {
  const strides: number[] = [];
  for (let axis = shape.length - 1, stride = 1; axis >= 0; axis--) {
    strides.unshift(stride);
    stride *= Math.max(1, shape[axis]);
  }
  return strides;
}
