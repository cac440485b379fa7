/**
 * Checkpoints of our own: a safetensors file whose metadata carries the state as JSON and a SHA-256
 * of everything. Any safetensors reader can read the weights.
 */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { isPartialFile, writeFileAtomically, type WrittenFile } from "./atomic_file.ts";
import { bytesOf, type StateDict } from "./host_tensor.ts";
import { readSafetensors, safetensorsChunks } from "./safetensors.ts";
import { WeightsFileError } from "./weights_file_error.ts";

/** A value that JSON can hold; numbers are finite. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** Tensors and whatever else an exact resume needs. */
export interface Checkpoint {
  readonly tensors: StateDict;
  readonly state: JsonValue;
}

const STATE = "siamban.state";
const DIGEST = "siamban.sha256";

/**
 * Writes a checkpoint, whole or not at all.
 *
 * @throws {TypeError} If the state holds something that JSON cannot, such as NaN.
 * @throws {Error} As {@linkcode writeFileAtomically}.
 */
export function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<WrittenFile> {
  const state = JSON.stringify(checkpoint.state, checkJson);
  const metadata = { [STATE]: state, [DIGEST]: digest(checkpoint.tensors, state) };
  return writeFileAtomically(path, safetensorsChunks(checkpoint.tensors, metadata));
}

/** JSON would turn NaN into null and drop undefined in silence. */
function checkJson(key: string, value: unknown): unknown {
  const lost = value === undefined || typeof value === "function" ||
    (typeof value === "number" && !Number.isFinite(value));
  if (lost) throw new TypeError(`Cannot save ${String(value)} at "${key}" of the state`);
  return value;
}

/**
 * Reads a checkpoint.
 *
 * @throws {WeightsFileError} If it is damaged, or not one of {@linkcode writeCheckpoint}.
 * @throws {Deno.errors.NotFound} If there is no such file.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const { tensors, metadata } = await readSafetensors(path);
  const state = metadata.get(STATE);
  const expected = metadata.get(DIGEST);
  const refuse = (fault: string) => new WeightsFileError(fault).in(JSON.stringify(path));
  if (state === undefined || expected === undefined) {
    throw refuse("it holds weights only, expected a checkpoint of training");
  }
  if (digest(tensors, state) !== expected) {
    throw refuse("it does not match its checksum, it is damaged: resume from the one before");
  }
  return { tensors, state: JSON.parse(state) };
}

/** Covers the state and, for each tensor, its name, type, shape and bytes; not where they lie. */
function digest(tensors: StateDict, state: string): string {
  const hash = createHash("sha256").update(`${state}\n`);
  for (const [name, tensor] of tensors) {
    hash.update(`${JSON.stringify([name, tensor.dtype, tensor.shape])}\n`).update(bytesOf(tensor));
  }
  return hash.digest("hex");
}

/** What {@linkcode newestWholeCheckpoint} found in a folder. */
export interface CheckpointSearch {
  /** The newest checkpoint that is whole, if there is one. */
  readonly newest?: Checkpoint & { readonly path: string };
  /** Newer ones that are damaged; they were left where they are. */
  readonly damaged: readonly { readonly path: string; readonly reason: string }[];
  /** Names of files that a killed process never finished. */
  readonly unfinished: readonly string[];
}

/**
 * Finds the newest whole checkpoint in a folder.
 *
 * Newest is by name, with the numbers in it compared as numbers (`checkpoint_e10` is after
 * `checkpoint_e9`): times change when files are copied.
 *
 * @param pattern Which names are checkpoints.
 * @throws {Deno.errors.NotFound} If there is no such folder.
 */
export async function newestWholeCheckpoint(
  folder: string,
  pattern: RegExp = /^checkpoint.*\.safetensors$/,
): Promise<CheckpointSearch> {
  const names = (await Array.fromAsync(Deno.readDir(folder)))
    .filter(({ isDirectory }) => !isDirectory).map(({ name }) => name);
  const unfinished = names.filter(isPartialFile);
  const byAge = new Intl.Collator("en", { numeric: true });
  const candidates = names.filter((name) => !isPartialFile(name) && pattern.test(name))
    .toSorted(byAge.compare).reverse();

  const damaged: { path: string; reason: string }[] = [];
  for (const name of candidates) {
    const path = join(folder, name);
    try {
      return { newest: { path, ...await readCheckpoint(path) }, damaged, unfinished };
    } catch (cause) {
      if (!(cause instanceof WeightsFileError)) throw cause;
      damaged.push({ path, reason: cause.message });
    }
  }
  return { damaged, unfinished };
}
