/** From an experiment as written to a complete, checked one. */
import type { z } from "zod";
import { complete } from "./complete.ts";
import { findContradictions } from "./contradictions.ts";
import { type Draft, draftOf, type Origin, valueAt } from "./draft.ts";
import type { ExperimentConfig } from "./experiment_config.ts";
import { keysOfSection, KNOWN_KEYS, nearest } from "./known_keys.ts";
import { ExperimentError, formatProblem, type Problem } from "./problems.ts";
import { toReferenceKey } from "./reference_keys.ts";
import { type Experiment, experimentSchema } from "./schema.ts";

/** How an experiment is checked. */
export interface ParseOptions {
  /** Name of the file or object, for errors. */
  readonly source?: string;
  /**
   * False leaves out the relation of image, grid and score sizes, for a network that is fed with
   * images of other sizes than its experiment says. Default true.
   */
  readonly checkSizes?: boolean;
}

/**
 * Validates an experiment and fills in every default.
 *
 * @param experiment What a file in configs/ exports.
 * @throws {ExperimentError} Naming every unknown key, wrong type and impossible size at once.
 *
 * @example Defaults are those of SiamBAN
 * ```ts
 * import { parseExperiment } from "siamban";
 * import { assertEquals } from "@std/assert";
 *
 * const config = parseExperiment({ training: { batchSize: 8 } });
 * assertEquals(config.training.batchSize, 8);
 * assertEquals(config.training.scoreSize, 25);
 * ```
 */
export function parseExperiment(
  experiment: Experiment,
  { source = "the experiment", ...options }: ParseOptions = {},
): ExperimentConfig {
  return parseDraft(draftOf(experiment, source), options);
}

/**
 * Validates what a reader has read; see {@link parseExperiment}.
 *
 * @throws {ExperimentError} Naming also what the reader found wrong.
 */
export function parseDraft(
  draft: Draft,
  { checkSizes = true }: Pick<ParseOptions, "checkSizes"> = {},
): ExperimentConfig {
  const parsed = experimentSchema.safeParse(draft.experiment);
  const problems = [...draft.problems];
  if (!parsed.success) {
    problems.push(...parsed.error.issues.flatMap((issue) => toProblems(issue, draft)));
    throw new ExperimentError(draft.source, problems);
  }
  const config = complete(parsed.data);
  for (const { path, expected, choices } of findContradictions(config, { sizes: checkSizes })) {
    const value = valueAt(config, path);
    const written = valueAt(draft.experiment, path) !== undefined;
    problems.push({
      ...locate(path, draft),
      value: value === "" ? undefined : value,
      byDefault: !written,
      expected,
      nearest: choices && nearWord(value, choices),
    });
  }
  if (problems.length > 0) throw new ExperimentError(draft.source, withoutRepeats(problems));
  return config;
}

function withoutRepeats(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [formatProblem(problem), problem])).values()];
}

function toProblems(issue: z.core.$ZodIssue, draft: Draft): Problem[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey([...path, key], draft));
  }
  const value = valueAt(draft.experiment, path);
  const choices = issue.code === "invalid_value"
    ? issue.values
    : issue.code === "invalid_union"
    ? (issue as unknown as { options?: unknown[] }).options
    : undefined;
  return [{
    ...locate(path, draft),
    value,
    // A record reports a wrong key as an issue that wraps the key's own.
    expected: issue.code === "invalid_key" ? issue.issues[0].message : issue.message,
    nearest: nearWord(value, choices?.filter((word) => typeof word === "string")),
  }];
}

function unknownKey(path: readonly string[], draft: Draft): Problem {
  const name = (key: string) => draft.upperCase ? toReferenceKey(key) : key;
  const parent = path.slice(0, -1).join(".");
  // Which keys a section has may depend on its type: the same key of another type does not count.
  const prefix = parent === "" ? "" : `${parent}.`;
  const here = keysOfSection(path.slice(0, -1), draft.experiment).map((key) => prefix + key);
  const elsewhere = KNOWN_KEYS.filter((key) => prefix === "" || !key.startsWith(prefix));
  return describeUnknownKey({
    ...locate(path, draft),
    value: valueAt(draft.experiment, path),
    section: parent === "" ? "" : name(parent),
    keys: here.map(name),
    nearest: nearest(name(path.join(".")), [...here, ...elsewhere].map(name)),
  });
}

const MAX_LISTED_KEYS = 9;

/** The problem of a key that nobody knows; `keys` are those that its section has. */
export function describeUnknownKey(
  { section, keys = [], ...problem }: Omit<Problem, "expected" | "found"> & {
    readonly section: string;
    readonly keys?: readonly string[];
  },
): Problem {
  const listed = keys.length > 0 && keys.length <= MAX_LISTED_KEYS
    ? ` (${keys.map((key) => key.slice(key.lastIndexOf(".") + 1)).join(", ")})`
    : "";
  const expected = section === "" ? "a key of an experiment" : `a key of "${section}"${listed}`;
  return { ...problem, found: "an unknown key", expected };
}

function nearWord(value: unknown, words?: readonly string[]): string | undefined {
  return typeof value === "string" && words !== undefined ? nearest(value, words) : undefined;
}

/** Key and place of a setting as its writer knows them; positions in a list belong to the list. */
function locate(path: readonly string[], draft: Draft): Pick<Problem, "key" | "place"> {
  const key = path.join(".");
  const list = key.replace(/(\.\d+)+$/, "");
  const origin: Origin | undefined = draft.origins.get(key) ?? draft.origins.get(list);
  if (origin === undefined) return { key: draft.upperCase ? toReferenceKey(key) : key };
  return {
    key: origin.key + (draft.origins.has(key) ? "" : key.slice(list.length)),
    ...placeOf(origin),
  };
}

function placeOf({ place }: Origin): Pick<Problem, "place"> {
  return place === "" ? {} : { place };
}
