/** Weights in and out of a model; the one place that knows PyTorch's layout. */
import { type HostTensor, hostTensor, type StateDict, toFloat32 } from "../weights/host_tensor.ts";
import { type Module, namedEntries, type Sequence, type StateEntry } from "./module.ts";
import { Counter } from "./parameter.ts";

type Floats = Float32Array<ArrayBuffer>;

/** What a state dict and a model do not share. */
export interface LoadReport {
  /** Keys of the model that the state dict lacks; their tensors are as they were. */
  readonly missing: readonly string[];
  /** Keys of the state dict that the model lacks. */
  readonly unused: readonly string[];
}

/**
 * Copies a model's weights in PyTorch's names, order and layout.
 *
 * @param prefix Put in front of each key, with its dot.
 */
export function stateDict(model: Module | Sequence, prefix = ""): StateDict {
  const tensors = new Map<string, HostTensor>();
  for (const { name, entry } of namedEntries(model, prefix)) {
    tensors.set(name, toHost(entry));
  }
  return tensors;
}

/**
 * Overwrites a model's weights in place. Nothing is changed if a shape is wrong.
 *
 * @param tensors In PyTorch's layout.
 * @param options `strict` (default true): keys that only one side has are an error.
 * @throws {RangeError} If a shape differs, or a key is missing or unused while `strict`.
 */
export function loadStateDict(
  model: Module | Sequence,
  tensors: StateDict,
  { strict = true }: { readonly strict?: boolean } = {},
): LoadReport {
  const entries = new Map([...namedEntries(model)].map(({ name, entry }) => [name, entry]));
  const missing = [...entries.keys()].filter((name) => !tensors.has(name));
  const unused = [...tensors.keys()].filter((name) => !entries.has(name));
  if (strict && missing.length + unused.length > 0) throw keyError(missing, unused);
  for (const [name, entry] of entries) {
    const tensor = tensors.get(name);
    if (tensor) checkShape(name, tensor.shape, torchShape(entry.shape));
  }
  for (const [name, entry] of entries) {
    const tensor = tensors.get(name);
    if (tensor) load(entry, tensor);
  }
  return { missing, unused };
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

function toHost(entry: StateEntry): HostTensor {
  if (entry instanceof Counter) {
    return hostTensor("int64", [], BigInt64Array.of(BigInt(entry.value)));
  }
  const values = toTorchLayout(entry.tensor.dataSync() as Floats, entry.shape);
  return hostTensor("float32", torchShape(entry.shape), values);
}

function load(entry: StateEntry, tensor: HostTensor): void {
  if (entry instanceof Counter) entry.value = Number(tensor.data[0]);
  else entry.overwrite(fromTorchLayout(toFloat32(tensor) as Floats, entry.shape));
}

function checkShape(name: string, found: readonly number[], wanted: readonly number[]): void {
  if (found.length === wanted.length && found.every((size, axis) => size === wanted[axis])) return;
  const section = name.split(".")[0];
  throw new RangeError(
    `Cannot load "${name}": shape is [${found.join(", ")}], expected [${
      wanted.join(", ")
    }], check ${section} in the configuration`,
  );
}

function keyError(missing: readonly string[], unused: readonly string[]): RangeError {
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
