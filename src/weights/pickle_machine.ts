import { kindOf, PythonObject, type PythonValue, toPythonInteger } from "./python_value.ts";
import { WeightsFileError } from "./weights_file_error.ts";

/** What a pickle may refer to. Every method throws {@linkcode WeightsFileError} for all else. */
export interface PickleVocabulary {
  /** What the qualified Python name (`"collections.OrderedDict"`) stands for. */
  find(name: string): PythonValue;
  /** The value that calling `callee` gives. */
  call(callee: PythonValue, args: readonly PythonValue[]): PythonValue;
  /** Applies `__setstate__`. */
  build(target: PythonValue & object, state: PythonValue): void;
  /** The value of a persistent id. */
  load(id: PythonValue): PythonValue;
}

/** The bytes end before the pickle does; with more of them it may be whole. */
export class CutPickleError extends WeightsFileError {}

/** Containers inside each other; a checkpoint has 5, a consumer that recurses survives this many. */
const DEEPEST = 1000;
/** Bytes of an integer. Converting is quadratic in the length, and no checkpoint needs so much. */
const LONGEST_INTEGER = 4096;
const LONGEST_NAME = 256;

/**
 * The state of a pickle being read: bytes, stack, marks and memo. Each step checks what it takes, so
 * that the opcodes need not.
 */
export class PickleMachine {
  readonly vocabulary: PickleVocabulary;
  position = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #stack: PythonValue[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PythonValue>();
  readonly #depths = new WeakMap<object, number>();

  constructor(bytes: Uint8Array, vocabulary: PickleVocabulary) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.vocabulary = vocabulary;
  }

  /** Moves past `count` bytes and says where they began; never allocates. */
  skip(count: number): number {
    const start = this.position;
    if (count > this.#bytes.byteLength - start) {
      throw new CutPickleError(
        `its pickle wants ${count} bytes at byte ${start}, ${
          this.#bytes.byteLength - start
        } are left`,
      );
    }
    this.position += count;
    return start;
  }

  u8 = (): number => this.#view.getUint8(this.skip(1));
  u16 = (): number => this.#view.getUint16(this.skip(2), true);
  u32 = (): number => this.#view.getUint32(this.skip(4), true);
  i32 = (): number => this.#view.getInt32(this.skip(4), true);
  f64 = (): number => this.#view.getFloat64(this.skip(8), false);
  // Rounded where it is beyond 2^53: such a length is refused just the same.
  u64 = (): number => Number(this.#view.getBigUint64(this.skip(8), true));

  take(length: number): Uint8Array {
    const start = this.skip(length);
    return this.#bytes.subarray(start, start + length);
  }

  text(length: number): string {
    return decodeUtf8(this.take(length)) ?? fail("a text that is not UTF-8");
  }

  line(): string {
    const start = this.position;
    const end = this.#bytes.subarray(start, start + LONGEST_NAME).indexOf(0x0a);
    if (end >= 0) return this.text(end + 1).slice(0, -1);
    if (this.#bytes.byteLength - start >= LONGEST_NAME) fail("a name without an end");
    throw new CutPickleError("its pickle ends inside a name, it is cut short");
  }

  /** A Python 2 `str`: text where it is UTF-8, else bytes (numpy's raw values). */
  oldString(length: number): PythonValue {
    const bytes = this.take(length);
    return decodeUtf8(bytes) ?? bytes.slice();
  }

  integer(length: number): number | bigint {
    if (length > LONGEST_INTEGER) fail(`an integer of ${length} bytes`);
    const bytes = this.take(length);
    if (length === 0) return 0;
    let hex = "0x";
    for (let i = length - 1; i >= 0; i--) hex += bytes[i].toString(16).padStart(2, "0");
    return toPythonInteger(BigInt.asIntN(8 * length, BigInt(hex)));
  }

  push(value: PythonValue): void {
    this.#stack.push(value);
  }

  pop(): PythonValue {
    this.#checkHeight(1);
    return this.#stack.pop()!;
  }

  top(): PythonValue {
    this.#checkHeight(1);
    return this.#stack.at(-1)!;
  }

  mark(): void {
    if (this.#marks.length >= DEEPEST) fail(`values nested deeper than ${DEEPEST} levels`);
    this.#marks.push(this.#stack.length);
  }

  popToMark(): PythonValue[] {
    const start = this.#marks.pop() ?? fail("a closing opcode without its opening one");
    return this.#stack.splice(start);
  }

  popTuple(count: number): readonly PythonValue[] {
    this.#checkHeight(count);
    return this.tuple(this.#stack.splice(this.#stack.length - count));
  }

  #checkHeight(count: number): void {
    const height = this.#stack.length - (this.#marks.at(-1) ?? 0);
    if (height < count) fail("an opcode that takes more values than there are");
  }

  put(slot: number): void {
    this.#memo.set(slot, this.top());
  }

  memoize(): void {
    this.put(this.#memo.size);
  }

  get(slot: number): void {
    const value = this.#memo.get(slot);
    if (value === undefined) fail(`a reference to value ${slot}, which was never stored`);
    this.push(value);
  }

  /** Makes a tuple, which cannot change any more. */
  tuple(values: PythonValue[]): readonly PythonValue[] {
    this.#nest(values, values);
    return Object.freeze(values);
  }

  extendList(target: PythonValue, values: readonly PythonValue[]): void {
    if (!Array.isArray(target) || Object.isFrozen(target)) {
      fail(`items for ${kindOf(target)}, expected a list`);
    }
    for (const value of values) target.push(value);
    this.#nest(target, values);
  }

  extendSet(target: PythonValue, values: readonly PythonValue[]): void {
    if (!(target instanceof Set)) fail(`items for ${kindOf(target)}, expected a set`);
    for (const value of values) target.add(checkHashable(value));
    this.#nest(target, values);
  }

  extendDict(target: PythonValue, pairs: readonly PythonValue[]): void {
    if (!(target instanceof Map)) fail(`entries for ${kindOf(target)}, expected a dict`);
    if (pairs.length % 2 !== 0) fail("a dict key without a value");
    for (let i = 0; i < pairs.length; i += 2) target.set(checkHashable(pairs[i]), pairs[i + 1]);
    this.#nest(target, pairs);
  }

  // Items are whole before they are put into their container, so its depth is known by then.
  #nest(container: object, items: readonly PythonValue[]): void {
    let depth = this.#depths.get(container) ?? 1;
    for (const item of items) {
      if (typeof item !== "object" || item === null) continue;
      depth = Math.max(depth, 1 + (this.#depths.get(item) ?? 0));
    }
    if (depth > DEEPEST) fail(`values nested deeper than ${DEEPEST} levels`);
    this.#depths.set(container, depth);
  }

  call(): void {
    const args = this.pop();
    if (!Array.isArray(args) || !Object.isFrozen(args)) {
      fail(`a call with ${kindOf(args)}, expected a tuple`);
    }
    const value = this.vocabulary.call(this.pop(), args);
    if (typeof value === "object" && value !== null) this.#nest(value, args);
    this.push(value);
  }

  build(): void {
    const state = this.pop();
    const target = this.top();
    if (typeof target !== "object" || target === null) fail(`state for ${kindOf(target)}`);
    this.#nest(target, [state]);
    this.vocabulary.build(target, state);
  }

  stackGlobal(): void {
    const [module, name] = this.popTuple(2);
    if (typeof module !== "string" || typeof name !== "string") fail("a name that is not text");
    this.push(this.vocabulary.find(`${module}.${name}`));
  }
}

/** Refuses a pickle for what was found in it. */
export function fail(what: string): never {
  throw new WeightsFileError(`its pickle has ${what}`);
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Keys that Python can hash; everything else would also compare by identity here. */
function checkHashable(key: PythonValue): PythonValue {
  const hashable = key === null || typeof key !== "object" || key instanceof PythonObject ||
    (Array.isArray(key) && Object.isFrozen(key));
  return hashable ? key : fail(`${kindOf(key)} as a key`);
}
