/** Weights in and out of a model; the one place that knows PyTorch's layout. */
import {
  checkKeys,
  type HostTensor,
  hostTensor,
  type KeyReport,
  type ModelShapes,
  type StateDict,
  toFloat32,
} from "../weights/mod.ts";
import { sameShape } from "../weights/load.ts";
import { type Module, namedEntries, type Sequence, type StateEntry } from "./module.ts";
import { Counter } from "./parameter.ts";

type Floats = Float32Array<ArrayBuffer>;

/**
 * Copies a model's weights in PyTorch's names, order and layout.
 *
 * @param prefix Put in front of each key, with its dot.
 */
export function stateDict(model: Module | Sequence, prefix = ""): StateDict {
  const tensors = new Map<string, HostTensor>();
  for (const { name, entry } of namedEntries(model, prefix)) {
    tensors.set(name, toHostTensor(entry));
  }
  return tensors;
}

/** Names and shapes of {@linkcode stateDict}, without reading the weights. */
export function stateShapes(model: Module | Sequence, prefix = ""): ModelShapes {
  const entries = namedEntries(model, prefix);
  return new Map(entries.map(({ name, entry }) => [name, torchShape(entry.shape)]));
}

/**
 * Overwrites a model's weights in place. Nothing is changed if a shape is wrong.
 *
 * @param tensors In PyTorch's layout.
 * @param options `strict` (default true): keys that only one side has are an error, but for batch-norm
 * counters that are missing, which older checkpoints do not have; else they are passed over.
 * @throws {RangeError} If a shape differs, or a key is missing or unknown while `strict`.
 */
export function loadStateDict(
  model: Module | Sequence,
  tensors: StateDict,
  { strict = true }: { readonly strict?: boolean } = {},
): void {
  const entries = new Map(namedEntries(model).map(({ name, entry }) => [name, entry]));
  const report = checkKeys(entries.keys(), tensors.keys());
  if (strict && report.missing.length + report.unused.length > 0) throw keyError(report);
  for (const name of report.used) {
    checkShape(name, tensors.get(name)!.shape, torchShape(entries.get(name)!.shape));
  }
  for (const name of report.used) {
    fromHostTensor(entries.get(name)!, tensors.get(name)!, name);
  }
}

/** The sizes in a PyTorch file: filters `[out, kh, kw, in]` are `[out, in, kh, kw]` there. */
export function torchShape(shape: readonly number[]): readonly number[] {
  // Every tensor of four axes that a module owns is a bank of filters.
  if (shape.length !== 4) return shape;
  const [out, height, width, channels] = shape;
  return [out, channels, height, width];
}

/**
 * Values in the program's layout, brought to PyTorch's: for whatever has a parameter's shape, such as its
 * gradient or its momentum.
 *
 * @param values Row-major.
 * @param shape In the program's layout.
 * @returns The same array where the layouts agree, else a new one.
 */
export function toTorchLayout(values: Floats, shape: readonly number[]): Floats {
  if (shape.length !== 4) return values;
  const [out, height, width, channels] = shape;
  return transposeFilters(values, { out, rows: height * width, columns: channels });
}

/** The inverse of {@linkcode toTorchLayout}; `shape` is in the program's layout here too. */
export function fromTorchLayout(values: Floats, shape: readonly number[]): Floats {
  if (shape.length !== 4) return values;
  const [out, height, width, channels] = shape;
  return transposeFilters(values, { out, rows: channels, columns: height * width });
}

/** Transposes each of `out` matrices of `rows` x `columns`. */
function transposeFilters(
  values: Floats,
  { out, rows, columns }: { readonly out: number; readonly rows: number; readonly columns: number },
): Floats {
  if (rows === 1 || columns === 1) return values;
  const result = new Float32Array(values.length);
  const size = rows * columns;
  for (let start = 0; start < out * size; start += size) {
    let from = start;
    for (let row = 0; row < rows; row++) {
      for (let to = start + row; to < start + size; to += rows) result[to] = values[from++];
    }
  }
  return result;
}

/** Copies one entry, in PyTorch's layout. */
export function toHostTensor(entry: StateEntry): HostTensor {
  if (entry instanceof Counter) {
    return hostTensor("int64", [], BigInt64Array.of(BigInt(entry.value)));
  }
  const values = toTorchLayout(entry.tensor.dataSync() as Floats, entry.shape);
  return hostTensor("float32", torchShape(entry.shape), values);
}

/**
 * Overwrites one entry in place.
 *
 * @param name For the message.
 * @throws {RangeError} If the shape differs.
 */
export function fromHostTensor(entry: StateEntry, tensor: HostTensor, name: string): void {
  checkShape(name, tensor.shape, torchShape(entry.shape));
  if (entry instanceof Counter) entry.value = Number(tensor.data[0]);
  else entry.overwrite(fromTorchLayout(toFloat32(tensor) as Floats, entry.shape));
}

function checkShape(name: string, found: readonly number[], wanted: readonly number[]): void {
  if (sameShape(found, wanted)) return;
  throw new RangeError(
    `Cannot load "${name}": shape is [${found.join(", ")}], expected [${wanted.join(", ")}], ` +
      `check ${name.split(".")[0]} in the configuration`,
  );
}

function keyError({ missing, unused }: KeyReport): RangeError {
  const some = (names: readonly string[]) =>
    names.length === 0 ? "none" : names.slice(0, 3).join(", ") + (names.length > 3 ? ", …" : "");
  return new RangeError(
    `Cannot load the weights: ${missing.length} keys of the model are missing (${
      some(missing)
    }) and ` +
      `${unused.length} are unknown (${
        some(unused)
      }), expected the same keys, check the architecture ` +
      `or load with strict: false`,
  );
}
