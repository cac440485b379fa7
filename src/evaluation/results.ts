/**
 * Raw results: what trackers answered, frame by frame, in the folders of common toolkits.
 *
 * @module
 */
import { basename, join } from "@std/path";
import { parseNumberRows } from "./number_rows.ts";
import { type Mark, type Region, toRegion, type Trajectory } from "./region.ts";
import type { Sequence } from "./sequence.ts";

/** How a tracker was run, which decides where its results lie and what they hold. */
export type ProtocolName = "ope" | "restart" | "longTerm";

/** A tracker's answers on one sequence. */
export interface RawResult {
  /** One for each repetition. */
  readonly runs: readonly Trajectory[];
  /** How sure the tracker was, a frame, for each repetition (long-term); NaN in the first frame. */
  readonly confidences?: readonly Float64Array[];
}

/** What becomes of results of another length than the truth. */
export type LengthRule = "equal" | "shortest" | "any";

/** A result that is missing or cannot be read; the message says which and why. */
export class ResultError extends Error {
  override name = "ResultError";
}

/** Where repetitions of a sequence lie below a tracker's folder, first match first. */
const RUN_FOLDERS: Readonly<Record<ProtocolName, readonly string[]>> = {
  restart: ["baseline", "."],
  longTerm: ["longterm", "."],
  ope: [".", "baseline", "unsupervised"],
};

/** Names that a sequence has in other toolkits. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = { "Human4-2": ["Human4"] };

/** A tracker's folder of results. */
export class TrackerResults {
  readonly name: string;
  readonly #folder: string;
  /** Names in a folder by their simplified form; folders are listed once. */
  readonly #listed = new Map<string, Map<string, string>>();

  constructor(folder: string, name: string = basename(folder)) {
    this.name = name;
    this.#folder = folder;
  }

  /**
   * Reads the answers on a sequence: `<sequence>.txt` or one file a repetition,
   * `<sequence>/<sequence>_001.txt`, in the folder itself or in `baseline` (VOT), `unsupervised` or
   * `longterm`. Case and the sign before a target's number (`Jogging-1`, `jogging_1`) do not matter.
   *
   * @param lengths `shortest`: answers on fewer or more frames than the truth are taken as far as
   * both go; `any`: they are taken as they are.
   * @throws {ResultError} If there is no file, or one is malformed or of another length.
   */
  read(
    sequence: Sequence,
    protocol: ProtocolName,
    { lengths = "equal" as LengthRule } = {},
  ): RawResult {
    const files = this.#find(sequence.name, protocol);
    const runs: Trajectory[] = [];
    for (const file of files) {
      const run = parseTrajectory(readText(file), file, protocol);
      checkLength(run, sequence, { file, lengths });
      runs.push(lengths === "any" ? run : run.slice(0, sequence.truth.length));
    }
    if (protocol !== "longTerm") return { runs };
    const confidences = files.map((file, i) =>
      readConfidences(file.replace(/\.txt$/, "_confidence.value"), runs[i])
    );
    return { runs, confidences };
  }

  /** Seconds a frame took, for each repetition, where GOT-10k's `<sequence>_time.txt` tells. */
  async readTimes({ name }: Sequence): Promise<number[][] | undefined> {
    const file = join(this.#folder, name, `${name}_time.txt`);
    const text = await Deno.readTextFile(file).catch(() => undefined);
    if (text === undefined) return undefined;
    const rows = parseNumberRows(text, file);
    return rows[0]?.map((_, k) => rows.map((row) => row[k]));
  }

  #find(sequence: string, protocol: ProtocolName): string[] {
    const names = [sequence, ...OTHER_NAMES[sequence] ?? []];
    for (const folder of RUN_FOLDERS[protocol].map((part) => join(this.#folder, part))) {
      const entries = this.#list(folder);
      for (const name of names) {
        const file = entries.get(simplify(`${name}.txt`));
        if (file) return [join(folder, file)];
        const runFolder = entries.get(simplify(name));
        if (!runFolder) continue;
        const runs = listRuns(join(folder, runFolder), name);
        if (runs.length > 0) return runs;
      }
    }
    const [first] = RUN_FOLDERS[protocol];
    throw new ResultError(
      `Cannot find results of "${this.name}" on "${sequence}": neither "${sequence}.txt" nor ` +
        `"${sequence}/${sequence}_001.txt" is in "${join(this.#folder, first)}"`,
    );
  }

  #list(folder: string): Map<string, string> {
    const known = this.#listed.get(folder) ?? listSimplified(folder);
    this.#listed.set(folder, known);
    return known;
  }
}

function listSimplified(folder: string): Map<string, string> {
  const names = new Map<string, string>();
  try {
    // Thousands of small folders and files: waiting for each would take longer than reading it.
    for (const { name } of Deno.readDirSync(folder)) names.set(simplify(name), name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
      throw error;
    }
  }
  return names;
}

function simplify(name: string): string {
  return name.toLowerCase().replace(/[-_. ]/g, "_");
}

function listRuns(folder: string, sequence: string): string[] {
  const names = [...listSimplified(folder).values()];
  const start = simplify(sequence);
  return names
    .filter((name) => /_\d+\.txt$/.test(name) && simplify(name).startsWith(`${start}_`))
    .sort()
    .map((name) => join(folder, name));
}

/**
 * Folders of trackers at a path: those in it, or the path itself if it is a tracker's own, because it
 * holds results of a sequence, or a folder that VOT's toolkits make.
 *
 * @param sequences Names of the benchmark's sequences.
 */
export async function listTrackers(
  path: string,
  sequences: readonly { readonly name: string }[],
): Promise<string[]> {
  const known = new Set(sequences.map(({ name }) => name));
  const folders: string[] = [];
  for await (const { name, isDirectory, isSymlink } of Deno.readDir(path)) {
    if (["baseline", "longterm", "unsupervised"].includes(name)) return [path];
    if (known.has(name.replace(/\.txt$/, ""))) return [path];
    const isFolder = isDirectory || isSymlink && (await Deno.stat(join(path, name))).isDirectory;
    if (isFolder && !name.startsWith(".")) folders.push(join(path, name));
  }
  return folders.sort();
}

function readText(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ResultError(`Cannot read "${file}": ${reason}`, { cause });
  }
}

/**
 * Parses a result file: a line a frame, a box of 4 numbers or a polygon of more. A single number is
 * a mark: 1 start, 2 failure, 0 no answer. In one pass every frame but the first needs a box.
 *
 * @throws {ResultError} If a line is something else; names it.
 */
export function parseTrajectory(text: string, name: string, protocol: ProtocolName): Trajectory {
  try {
    return parseNumberRows(text, name).map((row, i) => {
      const frame = row.length === 1 && isMark(row[0]) ? row[0] : toRegion(row);
      const place = `"${name}", line ${i + 1}`;
      if (frame === undefined) {
        throw new SyntaxError(
          `Cannot read ${place}: found ${row.length} numbers, expected 4 (left, top, width, height)`,
        );
      }
      return protocol === "ope" ? answer(frame, i, place) : frame ?? 0;
    });
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new ResultError(cause.message, { cause });
    throw cause;
  }
}

function isMark(number: number): number is Mark {
  return number === 0 || number === 1 || number === 2;
}

function answer(frame: Region | Mark | null, i: number, place: string): Region | Mark {
  if (typeof frame === "object" && frame !== null || i === 0 && frame === 1) return frame;
  throw new SyntaxError(`Cannot read ${place}: found no box, expected one in every frame`);
}

function checkLength(
  run: Trajectory,
  { name, truth, mayExceed }: Sequence,
  { file, lengths }: { file: string; lengths: LengthRule },
): void {
  if (run.length === truth.length || lengths !== "equal" && run.length > 0) return;
  if (mayExceed && run.length > truth.length) return;
  throw new ResultError(
    `Cannot score "${file}": it has ${run.length} frames, expected ${truth.length} as in the truth ` +
      `of "${name}"`,
  );
}

/** Confidences lie beside the result, a line a frame, that of the first frame being blank. */
function readConfidences(file: string, run: Trajectory): Float64Array {
  const lines = readText(file).split(/\r\n|\n|\r/);
  if (lines.at(-1) === "") lines.pop();
  const values = Float64Array.from(lines, (line, i) => {
    const value = i === 0 || /^\s*[-+]?nan\s*$/i.test(line) ? NaN : Number(line);
    if (Number.isNaN(value) && i > 0 && !/nan/i.test(line) || i > 0 && line.trim() === "") {
      throw new ResultError(`Cannot read "${file}", line ${i + 1}: "${line}" is not a number`);
    }
    return value;
  });
  if (values.length < run.length) {
    throw new ResultError(
      `Cannot score "${file}": it has ${values.length} lines, expected ${run.length} as in the boxes`,
    );
  }
  return values.subarray(0, run.length);
}
