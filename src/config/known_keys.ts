/** The keys that an experiment can have, read off the schema. */
import { closest, distance } from "fastest-levenshtein";
import { z } from "zod";
import { datasetSetSchema, STANDARD_SETS } from "./dataset_schema.ts";
import { valueAt } from "./draft.ts";
import { experimentSchema } from "./schema.ts";

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema;
  while (
    inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault ||
    inner instanceof z.ZodOptional || inner instanceof z.ZodNullable
  ) inner = inner.unwrap();
  return inner;
}

function* keysOf(schema: z.core.$ZodType, prefix = ""): Generator<string> {
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodDiscriminatedUnion) {
    for (const option of inner.options) yield* keysOf(option, prefix);
  } else if (inner instanceof z.ZodObject) {
    for (const [key, field] of Object.entries(inner.shape)) {
      yield prefix + key;
      yield* keysOf(field as z.core.$ZodType, `${prefix}${key}.`);
    }
  }
}

function* setKeys(): Generator<string> {
  for (const name of Object.keys(STANDARD_SETS)) {
    yield `dataset.sets.${name}`;
    yield* keysOf(datasetSetSchema, `dataset.sets.${name}.`);
  }
}

/** Dotted path of every section and setting, e.g. `training.batchSize`, in the schema's order. */
export const KNOWN_KEYS: readonly string[] = [
  ...new Set([...keysOf(experimentSchema), ...setKeys()]),
];

/**
 * The keys that one section of an experiment can have, given its `type` if that decides.
 *
 * @param path Path of the section, empty for the whole experiment.
 * @param experiment The experiment as written.
 */
export function keysOfSection(path: readonly string[], experiment: unknown): string[] {
  let schema = variantFor(experimentSchema, experiment);
  for (const [i, key] of path.entries()) {
    const value = valueAt(experiment, path.slice(0, i + 1));
    const inner = schema instanceof z.ZodRecord
      ? schema.valueType
      : schema instanceof z.ZodObject
      ? schema.shape[key]
      : undefined;
    if (inner === undefined) return [];
    schema = variantFor(inner, value);
  }
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function variantFor(schema: z.core.$ZodType, value: unknown): z.core.$ZodType {
  const inner = unwrapped(schema);
  if (!(inner instanceof z.ZodDiscriminatedUnion)) return inner;
  const type = valueAt(value, ["type"]);
  return inner.options.find((option) =>
    option instanceof z.ZodObject && option.shape.type.safeParse(type).success
  ) ?? inner;
}

/** Whether a dotted path is a setting or a section, those of further data sets included. */
export function isKnownKey(key: string): boolean {
  return KNOWN_KEYS.includes(key) || KNOWN_KEYS.includes(
    key.replace(/^dataset\.sets\.\w+/, "dataset.sets.VID"),
  );
}

/**
 * The candidate most like `key`: a similar key of its section first, then the same word elsewhere.
 *
 * @param key A dotted key, or a plain word.
 * @param candidates Keys or words that exist.
 */
export function nearest(key: string, candidates: readonly string[]): string | undefined {
  const others = candidates.filter((other) => other !== key);
  const [, parent = "", word] = /^(.*\.)?([^.]*)$/.exec(key) ?? [];
  const child = nearestWord(word, childrenOf(parent, others));
  const sibling = child === undefined ? undefined : parent + child;
  if (child !== undefined && isLike(word, child)) return sibling;
  const elsewhere = others.find((other) => lastWord(other).toLowerCase() === word.toLowerCase()) ??
    (parent === "" ? others.find((other) => isLike(word, lastWord(other))) : undefined);
  return elsewhere ?? sibling ?? nearestWord(key, others);
}

const lastWord = (key: string) => key.slice(key.lastIndexOf(".") + 1);

/** At most a third of the letters differ. */
function isLike(a: string, b: string): boolean {
  return distance(a.toLowerCase(), b.toLowerCase()) <= Math.max(1, a.length / 3);
}

function nearestWord(word: string, words: readonly string[]): string | undefined {
  return words.length === 0 ? undefined : closest(word, [...words]);
}

/** Last words of the keys directly below `parent`; a further data set has those of VID. */
function childrenOf(parent: string, keys: readonly string[]): string[] {
  const below = (prefix: string) =>
    keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length))
      .filter((rest) => !rest.includes("."));
  const own = below(parent);
  return own.length > 0
    ? own
    : below(parent.replace(/^(dataset\.sets|DATASET)\.\w+\.$/, "$1.VID."));
}
