import type { HostTensor } from "./host_tensor.ts";

/**
 * A Python value as it comes out of a checkpoint.
 *
 * | Python | here |
 * |---|---|
 * | `None`, `bool`, `str` | `null`, boolean, string |
 * | `int` | number, or bigint beyond ±(2^53 − 1) |
 * | `float`, numpy scalar | number (numpy integers as `int`) |
 * | `bytes`, `bytearray` | `Uint8Array` |
 * | `list` | array |
 * | `tuple`, `torch.Size` | frozen array |
 * | `dict`, `OrderedDict` | `Map`, {@linkcode OrderedDict} |
 * | `set`, `frozenset` | `Set` |
 * | `torch.Tensor`, `Parameter` | {@linkcode HostTensor} |
 * | `torch.device` | its text, `"cuda:0"` |
 * | a class, `torch.float32`, a bare storage | {@linkcode PythonObject} |
 */
export type PythonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly PythonValue[]
  | ReadonlyMap<PythonValue, PythonValue>
  | ReadonlySet<PythonValue>
  | HostTensor
  | PythonObject;

/**
 * Python's `OrderedDict`, which PyTorch uses for state dicts.
 *
 * A `Map` keeps its order too; the class is what tells the two apart when a file is written.
 */
export class OrderedDict<
  K extends PythonValue = PythonValue,
  V extends PythonValue = PythonValue,
> extends Map<K, V> {
  /** Versions of the modules, by module path, where the file carries them (`_metadata`). */
  declare metadata?: ReadonlyMap<PythonValue, PythonValue>;
}

/**
 * A Python object without a counterpart here, known by its name only: a class, `torch.float32`, a
 * storage that no tensor stands for.
 */
export class PythonObject {
  constructor(readonly name: string) {}
}

/** A Python integer: a number where that is exact. */
export function toPythonInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Names a value's kind in an error. */
export function kindOf(value: unknown): string {
  if (value === null) return "None";
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return Object.isFrozen(value) ? "a tuple" : "a list";
  if (value instanceof PythonObject) return value.name;
  if (value instanceof Map) return "a dict";
  if (typeof value === "object") return `a ${value.constructor.name}`;
  return `a ${typeof value}`;
}

/** Shows a value in an error: short, on one line and, for containers, by kind only. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 100));
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return kindOf(value);
}
