/** Reads experiments from YAML and JSON text, in the reference's upper-case keys or in ours. */
import {
  type Document,
  isMap,
  isScalar,
  LineCounter,
  parseDocument,
  type ScalarTag,
  type Tags,
  type YAMLMap,
} from "yaml";
import { type Draft, isSection, type Origin, valueAt, withValueAt } from "./draft.ts";
import { NANOTRACK_BACKBONES, type NanoTrackHeadType } from "./feature_maps.ts";
import { nearest } from "./known_keys.ts";
import { describeUnknownKey } from "./parse.ts";
import { ExperimentError, type Problem } from "./problems.ts";
import {
  fromReferenceKey,
  isDatasetSet,
  isReferenceSection,
  isUpperCase,
  REFERENCE_KEYS,
  SYNONYMS,
  whyWithoutMeaning,
} from "./reference_keys.ts";

/** PyYAML's words for true and false beyond those of YAML 1.2 (its lone y and n are text). */
const pythonFlag: ScalarTag = {
  identify: () => false,
  default: true,
  tag: "tag:yaml.org,2002:bool",
  test: /^(?:yes|Yes|YES|on|On|ON|no|No|NO|off|Off|OFF)$/,
  resolve: (text) => /^(?:yes|on)$/i.test(text),
};

/** How YAML is read and written everywhere: as PyYAML does, with merge keys. */
export const YAML_OPTIONS = {
  merge: true,
  customTags: (tags: Tags): Tags => [...tags, pythonFlag],
};

/**
 * Reads an experiment in YAML or JSON, in either form of keys.
 *
 * @param text The text of the file.
 * @param source Its name, for errors.
 * @throws {ExperimentError} If it is no YAML; unknown keys are left to `parseDraft()`.
 */
export function parseYaml(text: string, source: string): Draft {
  const { root, lineOf, lines } = readYaml(text, source);
  if (Object.keys(root).some(isUpperCase)) return translate(root, { source, lineOf });
  const origins = new Map(
    [...lines].map(([key, line]) => [key, { key, place: `line ${line}` }]),
  );
  return { experiment: root, source, origins, upperCase: false, problems: [], ignored: [] };
}

/**
 * Reads an experiment in the YAML of siamban, pysot or NanoTrack (siamban/core/config.py).
 *
 * Keys that those projects have and this one has no use for are listed in `ignored`; what a config
 * cannot do without them (an anchor head, masks) is a problem, as is every unknown key.
 *
 * @param text The text of the file.
 * @param source Its name, for errors.
 * @throws {ExperimentError} If it is no YAML.
 *
 * @example
 * ```ts
 * import { parseDraft, parseReferenceYaml } from "siamban";
 * import { assertEquals } from "@std/assert";
 *
 * const draft = parseReferenceYaml("TRAIN: { BATCH_SIZE: 28 }", "config.yaml");
 * assertEquals(parseDraft(draft).training.batchSize, 28);
 * ```
 */
export function parseReferenceYaml(text: string, source: string): Draft {
  const { root, lineOf } = readYaml(text, source);
  return translate(root, { source, lineOf });
}

interface YamlText {
  readonly root: Record<string, unknown>;
  /** Line of each dotted key, from 1. */
  readonly lines: ReadonlyMap<string, number>;
  readonly lineOf: (key: string) => number | undefined;
}

function readYaml(text: string, source: string): YamlText {
  const counter = new LineCounter();
  checkBounds(text, source);
  const document = parseDocument(text, { lineCounter: counter, ...YAML_OPTIONS });
  if (document.errors.length > 0) {
    const problems = document.errors.map((error): Problem => ({
      key: "YAML",
      place: `line ${counter.linePos(error.pos[0]).line}`,
      found: `cannot be read (${error.message.split("\n")[0].replace(/ at line .*$/, "")})`,
      expected: "well-formed YAML",
    }));
    throw new ExperimentError(source, problems, { cause: document.errors[0] });
  }
  const root = valuesOf(document, source) ?? {};
  if (!isSection(root)) {
    throw new ExperimentError(source, [
      { key: "YAML", value: root, expected: "sections of settings" },
    ]);
  }
  const lines = new Map(linesOf(document, counter));
  return { root, lines, lineOf: (key) => lines.get(key) };
}

/** Characters of an experiment, and how deep its settings lie; ours are far below both. */
const LONGEST = 2 ** 18, DEEPEST = 64;
/** Lists and keys that open each other on one line. */
const NESTED_LINE = new RegExp(`(?:[-?:][ \\t]+){${DEEPEST}}`);

/** Fails on what would take the parser minutes, or more stack than there is. */
function checkBounds(text: string, source: string): void {
  let depth = 0, deepest = 0;
  for (let i = 0; i < Math.min(text.length, LONGEST); i++) {
    if (text[i] === "[" || text[i] === "{") deepest = Math.max(deepest, ++depth);
    if ((text[i] === "]" || text[i] === "}") && depth > 0) depth--;
  }
  const isDeep = deepest > DEEPEST || text.length <= LONGEST && NESTED_LINE.test(text);
  if (text.length <= LONGEST && !isDeep) return;
  const found = isDeep ? `nests more than ${DEEPEST} values` : `has ${text.length} characters`;
  const expected = `at most ${LONGEST} characters and ${DEEPEST} values in each other`;
  throw new ExperimentError(source, [{ key: "YAML", found, expected }]);
}

/** Fails where aliases lead nowhere, or to more values than anybody writes. */
function valuesOf(document: Document, source: string): unknown {
  try {
    const values = document.toJS();
    JSON.stringify(values); // an alias inside what it stands for would make messages endless
    return values;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const found = `cannot be read (${reason})`;
    throw new ExperimentError(source, [{ key: "YAML", found, expected: "well-formed YAML" }], {
      cause,
    });
  }
}

function* linesOf(document: Document, counter: LineCounter): Generator<[string, number]> {
  if (isMap(document.contents)) yield* linesOfMap(document.contents, counter, "");
}

function* linesOfMap(
  map: YAMLMap,
  counter: LineCounter,
  prefix: string,
): Generator<[string, number]> {
  for (const { key, value } of map.items) {
    if (!isScalar(key)) continue;
    const path = prefix + String(key.value); // the value of << is a symbol
    if (key.range) yield [path, counter.linePos(key.range[0]).line];
    if (isMap(value)) yield* linesOfMap(value, counter, `${path}.`);
  }
}

interface TranslateOptions {
  readonly source: string;
  readonly lineOf: (key: string) => number | undefined;
}

/** From the reference's keys to ours. */
function translate(root: Record<string, unknown>, { source, lineOf }: TranslateOptions): Draft {
  const place = (key: string) => {
    const line = lineOf(key);
    return line === undefined ? "" : `line ${line}`;
  };
  const origins = new Map<string, Origin>();
  const problems: Problem[] = [...findForeignModels(root, place)];
  const ignored: string[] = [];
  let experiment: unknown = {};
  for (const entry of translateKeys(root)) {
    if ("reason" in entry) ignored.push(`${entry.key}: ${entry.reason}`);
    if ("path" in entry) {
      experiment = withValueAt(experiment, entry.path.split("."), entry.value);
      origins.set(entry.path, { key: entry.key, place: place(entry.key) });
    } else if (!("reason" in entry)) {
      problems.push(unknownReferenceKey(entry.key, entry.value, place(entry.key)));
    }
  }
  const head = nanotrackHead(experiment);
  if (head !== undefined) {
    experiment = withValueAt(experiment, ["head", "type"], head);
    const undecided = head === "NanoTrackV1";
    if (undecided) experiment = withValueAt(experiment, ["head", "kwargs", "byWeights"], true);
    const other = undecided ? " or, if the weights are of that, NanoTrackV2" : "";
    ignored.push(`BAN.TYPE: "DepthwiseBAN" on this backbone is read as "${head}"${other}`);
  }
  const names = valueAt(experiment, ["dataset", "names"]);
  if (Array.isArray(names) && names.includes("GOT") && !hasSet(experiment, "GOT")) {
    const renamed = names.map((name) => name === "GOT" ? "GOT10K" : name);
    experiment = withValueAt(experiment, ["dataset", "names"], renamed);
    ignored.push('DATASET.NAMES: "GOT" is read as "GOT10K"');
  }
  return { experiment, source, origins, upperCase: true, problems, ignored };
}

function hasSet(experiment: unknown, name: string): boolean {
  return valueAt(experiment, ["dataset", "sets", name]) !== undefined;
}

/** The published NanoTrack files name all three heads alike; which one is built is a matter of the code. */
function nanotrackHead(experiment: unknown): NanoTrackHeadType | undefined {
  if (valueAt(experiment, ["head", "type"]) !== "DepthwiseBAN") return undefined;
  const backbone = valueAt(experiment, ["backbone", "type"]);
  const heads = Object.entries(NANOTRACK_BACKBONES) as [NanoTrackHeadType, string][];
  return heads.find(([, type]) => type === backbone)?.[0];
}

/** One setting: translated (`path`), without effect or replaced (`reason`), or unknown (neither). */
type Translated =
  | { readonly key: string; readonly value: unknown }
  | { readonly key: string; readonly reason: string }
  | {
    readonly key: string;
    readonly value: unknown;
    readonly path: string;
    readonly reason?: string;
  };

/**
 * Translates settings in the reference's keys one by one.
 *
 * @param section Settings below `prefix`, nested.
 * @param prefix Dotted path with a final dot, or empty at the top.
 */
export function* translateKeys(section: object, prefix = ""): Generator<Translated> {
  for (const [name, value] of Object.entries(section)) {
    const key = prefix + name;
    const withoutMeaning = whyWithoutMeaning(key);
    if (withoutMeaning !== undefined) {
      yield { key, reason: `without effect, ${withoutMeaning}` };
    } else if (isSection(value) && (isReferenceSection(key) || isDatasetSet(key, value))) {
      yield* translateKeys(value, `${key}.`);
    } else {
      yield* translateSetting(key, value);
    }
  }
}

function* translateSetting(key: string, value: unknown): Generator<Translated> {
  const path = fromReferenceKey(key);
  if (path === undefined) {
    yield { key, value };
    return;
  }
  // An empty value means "as by default", except for learning rates, where null has a meaning.
  if (value === null && !/_lr$/.test(key)) return;
  const synonym = typeof value === "string" ? SYNONYMS[key]?.[value] : undefined;
  if (synonym === undefined) yield { key, value, path };
  else yield { key, value: synonym, path, reason: `"${value}" is read as "${synonym}"` };
}

/** The problem of a key that neither siamban nor pysot nor NanoTrack has. */
export function unknownReferenceKey(key: string, value: unknown, place: string): Problem {
  return describeUnknownKey({
    key,
    value,
    section: key.slice(0, Math.max(0, key.lastIndexOf("."))),
    nearest: nearest(key, REFERENCE_KEYS),
    ...(place === "" ? {} : { place }),
  });
}

/** Models of pysot that this program does not have: anchors without a BAN head, masks. */
function* findForeignModels(
  root: Record<string, unknown>,
  place: (key: string) => string,
): Generator<Problem> {
  if (root.RPN !== undefined && root.BAN === undefined) {
    const sections = ["RPN", "ANCHOR"].filter((name) => root[name] !== undefined).join(" and ");
    const type = valueAt(root, ["RPN", "TYPE"]);
    yield {
      key: "RPN",
      found: `describes an anchor head${type === undefined ? "" : ` (${type})`} of SiamRPN, ` +
        `${sections} cannot be used here`,
      expected: "a BAN section (BAN: true, TYPE: MultiBAN, DepthwiseBAN or UPChannelBAN)",
      place: place("RPN"),
    };
  }
  for (const name of ["MASK", "REFINE"]) {
    if (valueAt(root, [name, name]) !== true) continue;
    yield {
      key: `${name}.${name}`,
      value: true,
      found: "asks for SiamMask",
      expected: "false, there is no mask branch here",
      place: place(`${name}.${name}`),
    };
  }
}
