/**
 * Raw results: what trackers answered, frame by frame, in the folders of common toolkits.
 *
 * @module
 */
import { basename, join } from "@std/path";
import { parseNumberRows } from "./number_rows.ts";
import {
  checkRestarts,
  parseBinaryTrajectory,
  parseTrajectory,
  type ProtocolName,
  ResultError,
} from "./parse_trajectory.ts";
import { listEntries, namesOf, simplify } from "./result_names.ts";
import type { Sequence } from "./sequence.ts";
import type { Trajectory } from "./trajectory.ts";

export { parseTrajectory, type ProtocolName, ResultError } from "./parse_trajectory.ts";

/** A tracker's answers on one sequence. */
export interface RawResult {
  /** One for each repetition. */
  readonly runs: readonly Trajectory[];
  /** How sure the tracker was, a frame, for each repetition (long-term); NaN in the first frame. */
  readonly confidences?: readonly Float64Array[];
}

/** What becomes of results of another length than the truth. */
export type LengthRule = "equal" | "shortest" | "any";

/** Where repetitions of a sequence lie below a tracker's folder, first match first. */
const RUN_FOLDERS: Readonly<Record<ProtocolName, readonly string[]>> = {
  restart: ["baseline", "."],
  longTerm: ["longterm", "."],
  ope: [".", "baseline", "unsupervised"],
};

/** Of the files that hold trajectories. */
const ENDINGS = [".txt", ".bin"];

/** A tracker's folder of results. */
export class TrackerResults {
  readonly name: string;
  readonly #folder: string;
  /** Names in a folder by their simplified form; folders are listed once. */
  readonly #listed = new Map<string, Map<string, string[]>>();

  constructor(folder: string, name: string = basename(folder)) {
    this.name = name;
    this.#folder = folder;
  }

  /**
   * Reads the answers on a sequence: `<sequence>.txt` or one file a repetition,
   * `<sequence>/<sequence>_001.txt` (`.bin` as the VOT toolkit writes it), in the folder itself or in
   * `baseline` (VOT), `unsupervised` or `longterm`. Case, the sign before a target's number
   * (`Jogging-1`, `jogging_1`) and pytracking's prefixes (`uav_`, `nfs_`) do not matter.
   *
   * @param lengths `shortest`: answers on fewer or more frames than the truth are taken as far as
   * both go; `any`: they are taken as they are.
   * @throws {ResultError} If there is no file or more than one, or one is malformed or of another
   * length.
   */
  read(
    sequence: Sequence,
    protocol: ProtocolName,
    { lengths = "equal" as LengthRule } = {},
  ): RawResult {
    const files = this.#find(sequence.name, protocol);
    const runs: Trajectory[] = [];
    for (const file of files) {
      const run = readRun(file, protocol);
      checkLength(run, sequence, { file, lengths });
      if (protocol === "restart") checkRestarts(run, file);
      runs.push(lengths === "any" ? run : run.first(sequence.truth.length));
    }
    if (protocol !== "longTerm") return { runs };
    const confidences = files.map((file, i) =>
      readConfidences(file.replace(/\.(txt|bin)$/, "_confidence.value"), runs[i])
    );
    return { runs, confidences };
  }

  /** Seconds a frame took, for each repetition, where GOT-10k's `<sequence>_time.txt` tells. */
  async readTimes({ name }: Sequence): Promise<number[][] | undefined> {
    const file = join(this.#folder, name, `${name}_time.txt`);
    const bytes = await Deno.readFile(file).catch(() => undefined);
    if (bytes === undefined) return undefined;
    const rows = [...parseNumberRows(bytes, file)];
    return rows[0]?.map((_, k) => rows.map((row) => row[k]));
  }

  /** Files and folders where results lie that belong to none of the sequences, and so count nowhere. */
  extras(sequences: readonly { readonly name: string }[], protocol: ProtocolName): string[] {
    const known = new Set(sequences.flatMap(({ name }) => namesOf(name)).map(simplify));
    const [folder] = RUN_FOLDERS[protocol].map((part) => join(this.#folder, part))
      .filter((path) => this.#list(path).size > 0);
    const names = folder === undefined ? [] : [...this.#list(folder).values()].flat();
    return names.filter((name) => {
      // Times, scores and the like lie beside the boxes under their names.
      const beside = /_(time|times|all_boxes|all_scores|object_presence_scores)\.txt$/.test(name);
      const isResult = /\.(txt|bin)$/.test(name) || !/\.[a-z0-9]+$/i.test(name);
      return isResult && !beside && !PART_FOLDERS.includes(name) && !name.startsWith(".") &&
        !known.has(simplify(name.replace(/\.(txt|bin)$/, "")));
    }).sort();
  }

  #find(sequence: string, protocol: ProtocolName): string[] {
    for (const folder of RUN_FOLDERS[protocol].map((part) => join(this.#folder, part))) {
      for (const name of namesOf(sequence)) {
        const file = this.#pick(folder, ENDINGS.map((ending) => name + ending));
        if (file) return [join(folder, file)];
        const runFolder = this.#pick(folder, [name]);
        if (!runFolder) continue;
        const runs = this.#listRuns(join(folder, runFolder), name);
        if (runs.length > 0) return runs;
      }
    }
    const [first] = RUN_FOLDERS[protocol];
    throw new ResultError(
      `Cannot find results of "${this.name}" on "${sequence}": neither "${sequence}.txt" nor ` +
        `"${sequence}/${sequence}_001.txt" is in "${join(this.#folder, first)}"`,
    );
  }

  /** The entry of one of these names, the first that is there; spelt so rather than otherwise. */
  #pick(folder: string, names: readonly string[]): string | undefined {
    for (const name of names) {
      const spelt = this.#list(folder).get(simplify(name)) ?? [];
      if (spelt.length < 2 || spelt.includes(name)) {
        if (spelt.length > 0) return spelt.find((entry) => entry === name) ?? spelt[0];
        continue;
      }
      throw new ResultError(
        `Cannot choose results of "${this.name}": ${
          spelt.map((entry) => `"${entry}"`).join(", ")
        } ` +
          `in "${folder}" are all for "${name}", keep one`,
      );
    }
  }

  #listRuns(folder: string, sequence: string): string[] {
    const start = `${simplify(sequence)}_`, runs = new Map<string, string>();
    for (const name of [...this.#list(folder).values()].flat().sort()) {
      if (!/_\d+\.(txt|bin)$/.test(name) || !simplify(name).startsWith(start)) continue;
      // Where a run is there in both forms the text counts, as in the VOT toolkit.
      runs.set(name.replace(/\.(txt|bin)$/, ""), name);
    }
    return [...runs.values()].map((name) => join(folder, name));
  }

  #list(folder: string): Map<string, string[]> {
    const known = this.#listed.get(folder) ?? listEntries(folder);
    this.#listed.set(folder, known);
    return known;
  }
}

/** Folders that toolkits make in a tracker's. */
const PART_FOLDERS = ["baseline", "longterm", "unsupervised", "realtime"];

function readRun(file: string, protocol: ProtocolName): Trajectory {
  const parse = file.endsWith(".txt") ? parseTrajectory : parseBinaryTrajectory;
  return parse(read(readBytes, file), file, protocol);
}

/** Takes one file after the other: memory of their own for hundreds costs more than reading them. */
let buffer = new Uint8Array(1 << 16);

/** Bytes of a file, until the next one is read. */
function readBytes(path: string): Uint8Array {
  using file = Deno.openSync(path);
  for (let length = 0;;) {
    const count = file.readSync(buffer.subarray(length));
    if (count === null) return buffer.subarray(0, length);
    length += count;
    if (length === buffer.length) buffer = new Uint8Array(buffer.buffer.transfer(2 * length));
  }
}

function read<T>(how: (file: string) => T, file: string): T {
  try {
    return how(file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    // Deno ends with what it did to which file, which is said already.
    throw new ResultError(`Cannot read "${file}": ${reason.replace(/: \w+ '.*'$/, "")}`, { cause });
  }
}

function checkLength(
  run: Trajectory,
  { name, truth, mayExceed, mayOmit }: Sequence,
  { file, lengths }: { file: string; lengths: LengthRule },
): void {
  if (run.length === truth.length || lengths !== "equal" && run.length > 0) return;
  if (mayExceed && run.length > truth.length) return;
  if (mayOmit && run.length === truth.length - mayOmit) return;
  throw new ResultError(
    `Cannot score "${file}": it has ${run.length} frames, expected ${truth.length} as in the truth ` +
      `of "${name}"`,
  );
}

/** Confidences lie beside the result, a line a frame, that of the first frame being blank. */
function readConfidences(file: string, run: Trajectory): Float64Array {
  const lines = read(Deno.readTextFileSync, file).split(/\r\n|\n|\r/);
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
