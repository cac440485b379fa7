/** An experiment as somebody wrote it: not yet validated, and where each value came from. */
import type { Problem } from "./problems.ts";

/** Where a value was written. */
export interface Origin {
  /** The key in the words of whoever wrote it, e.g. `TRAIN.BATCH_SIZE`. */
  readonly key: string;
  /** The place, e.g. `line 12` or `--set`; empty if unknown. */
  readonly place: string;
}

/** What a reader makes of a file or a command line; `parseExperiment()` makes the config of it. */
export interface Draft {
  /** The experiment in our keys. */
  readonly experiment: unknown;
  /** Name of the file or object. */
  readonly source: string;
  /** Origin of each value by its path in our keys, e.g. `training.batchSize`. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** Whether the source uses the reference's upper-case keys. */
  readonly upperCase: boolean;
  /** What is wrong already. */
  readonly problems: readonly Problem[];
  /** What was read and has no effect, each with the reason. */
  readonly ignored: readonly string[];
}

/** A draft of an object that was written in our keys. */
export function draftOf(experiment: unknown, source: string): Draft {
  return { experiment, source, origins: new Map(), upperCase: false, problems: [], ignored: [] };
}

/** Whether `value` is a section: an object that is no list. */
export function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at `path`, undefined where there is none. */
export function valueAt(root: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string, unknown>)[key]
        : undefined,
    root,
  );
}

/** A copy of `root` with `value` at `path`; what stands in the way of the path is replaced. */
export function withValueAt(root: unknown, path: readonly string[], value: unknown): unknown {
  if (path.length === 0) return value;
  const [key, ...rest] = path;
  const fields = isSection(root) ? root : {};
  const inner = Object.hasOwn(fields, key) ? fields[key] : undefined;
  return { ...fields, [key]: withValueAt(inner, rest, value) };
}
