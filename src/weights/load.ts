/**
 * Which tensors of a checkpoint go where in a model (siamban/utils/model_load.py). Pure functions:
 * they decide and report, and leave it to the model to take the tensors.
 */
import { type HostTensor, isHostTensor, type StateDict } from "./host_tensor.ts";
import { kindOf, type PythonValue } from "./python_value.ts";

/** The names and shapes that a model's state dict has, in PyTorch's layout. */
export type ModelShapes = ReadonlyMap<string, readonly number[]>;

/** How the keys of a checkpoint and of a model meet. */
export interface KeyReport {
  /** In both, in the order of the model. */
  readonly used: readonly string[];
  /** In the checkpoint only. */
  readonly unused: readonly string[];
  /** In the model only, without batch-norm counters, which older checkpoints do not have. */
  readonly missing: readonly string[];
}

/** What loading a checkpoint does. */
export interface LoadReport extends KeyReport {
  /** What was put before every key of the checkpoint: `"features."` or nothing. */
  readonly addedPrefix: string;
}

/** Tensors chosen for a model. */
export interface Selection {
  /** The `used` tensors, in the order of the model; the others keep their values. */
  readonly tensors: StateDict;
  readonly report: LoadReport;
}

/** Removes a prefix from the keys that begin with it, once. */
export function removePrefix<V>(entries: ReadonlyMap<string, V>, prefix: string): Map<string, V> {
  const renamed = new Map<string, V>();
  for (const [key, value] of entries) {
    renamed.set(key.startsWith(prefix) ? key.slice(prefix.length) : key, value);
  }
  return renamed;
}

/** Compares the keys of a checkpoint with those of a model. */
export function checkKeys(model: Iterable<string>, checkpoint: Iterable<string>): KeyReport {
  const wanted = new Set(model);
  const found = new Set(checkpoint);
  return {
    used: [...wanted].filter((key) => found.has(key)),
    unused: [...found].filter((key) => !wanted.has(key)),
    missing: [...wanted].filter((key) => !found.has(key) && !key.endsWith("num_batches_tracked")),
  };
}

/**
 * The state dict in what a weights file holds: under the key `state_dict`, or all of it.
 *
 * @throws {TypeError} If there is no tensor where the state dict should be.
 */
export function findStateDict(value: PythonValue): StateDict {
  if (!(value instanceof Map)) {
    throw new TypeError(
      `Cannot find a state dict: the file holds ${kindOf(value)}, expected a dict`,
    );
  }
  const dict: PythonValue = value.get("state_dict") ?? value;
  const tensors = new Map<string, HostTensor>();
  if (dict instanceof Map) {
    for (const [key, item] of dict) {
      if (typeof key === "string" && isHostTensor(item)) tensors.set(key, item);
    }
  }
  if (tensors.size > 0) return tensors;
  throw new TypeError(
    `Cannot find a state dict: the file has the keys ${listed([...value.keys()].map(keyName))}, ` +
      'expected names of weights, or "state_dict" with them in it',
  );
}

/**
 * Chooses the tensors of a checkpoint for a model, as `load_pretrain` does: the prefix `module.`
 * goes; if then no key is known, but would be with `features.` before it, that prefix comes.
 *
 * Parity: model_load.py adds `features.` after any failure; here the keys alone decide.
 *
 * @throws {RangeError} If no key fits, or a shape differs.
 */
export function selectTensors(checkpoint: StateDict, model: ModelShapes): Selection {
  const plain = removePrefix(checkpoint, "module.");
  const addedPrefix = prefixFor(plain, model);
  const renamed = new Map([...plain].map(([key, tensor]) => [addedPrefix + key, tensor]));
  const report = { ...checkKeys(model.keys(), renamed.keys()), addedPrefix };
  if (report.used.length === 0) {
    throw new RangeError(
      `Cannot load the weights: they are named ${listed(report.unused)}, ` +
        `expected names such as ${listed([...model.keys()])}, check that they are for this model`,
    );
  }
  const tensors = new Map(report.used.map((key) => [key, renamed.get(key)!]));
  checkShapes(tensors, model);
  return { tensors, report };
}

function prefixFor(checkpoint: StateDict, model: ModelShapes): string {
  const fits = (prefix: string) => checkpoint.keys().some((key) => model.has(prefix + key));
  return !fits("") && fits("features.") ? "features." : "";
}

/** Tells one tensor and how many more: one wrong option often makes several. */
function checkShapes(tensors: StateDict, model: ModelShapes): void {
  const wrong = [...tensors].filter(([key, { shape }]) => !sameShape(shape, model.get(key)!));
  if (wrong.length === 0) return;
  const [key, { shape }] = wrong[0];
  const others = wrong.length > 1 ? ` (and ${wrong.length - 1} more)` : "";
  throw new RangeError(
    `Cannot load "${key}": shape is [${shape.join(", ")}], ` +
      `expected [${model.get(key)!.join(", ")}]${others}, ${remedyFor(key)}`,
  );
}

/** Whether two shapes are equal. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

function remedyFor(key: string): string {
  const section = key.match(/^(?:ban_)?(backbone|neck|head)\./)?.[1];
  return section
    ? `check that the ${section} of the config is the one that the weights were trained with`
    : "check that the weights are for this model";
}

function keyName(key: PythonValue): string {
  return typeof key === "string" ? key : kindOf(key);
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).map((name) => JSON.stringify(name.slice(0, 80))).join(", ");
  return names.length > 3 ? `${shown}, … (${names.length})` : shown || "(none)";
}
