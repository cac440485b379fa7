/** Settings from the command line that replace those of a file. */
import { parse } from "yaml";
import { type Draft, isSection, type Origin, withValueAt } from "./draft.ts";
import { isKnownKey, KNOWN_KEYS, nearest } from "./known_keys.ts";
import { describeUnknownKey } from "./parse.ts";
import type { Problem } from "./problems.ts";
import { fromReferenceKey, isReferenceSection, isUpperCase } from "./reference_keys.ts";
import { translateKeys, unknownReferenceKey, YAML_OPTIONS } from "./yaml.ts";

/**
 * Replaces settings of a draft.
 *
 * @param draft What a reader has read, or `draftOf(experiment, source)`.
 * @param overrides Each `key=value`: the key is ours (`training.batchSize=8`) or the reference's
 *   (`TRAIN.BATCH_SIZE=8`), the value is YAML (`dataset.names=[VID, COCO]`).
 * @returns A new draft; what is wrong is added to its problems, for `parseDraft()` to report.
 */
export function applyOverrides(draft: Draft, overrides: readonly string[]): Draft {
  let experiment = draft.experiment;
  const origins = new Map(draft.origins);
  const problems = [...draft.problems];
  const ignored = [...draft.ignored];
  for (const override of overrides) {
    for (const setting of readOverride(override)) {
      if ("problem" in setting) problems.push(setting.problem);
      else if ("ignored" in setting) ignored.push(setting.ignored);
      else {
        experiment = withValueAt(experiment, setting.path.split("."), setting.value);
        origins.set(setting.path, setting.origin);
      }
    }
  }
  return { ...draft, experiment, origins, problems, ignored };
}

type Setting =
  | { readonly path: string; readonly value: unknown; readonly origin: Origin }
  | { readonly problem: Problem }
  | { readonly ignored: string };

function* readOverride(override: string): Generator<Setting> {
  const place = "--set";
  const equals = override.indexOf("=");
  if (equals < 1) {
    const expected = 'key=value, e.g. "training.batchSize=8"';
    yield { problem: { key: override, found: "has no value", expected, place } };
    return;
  }
  const [key, text] = [override.slice(0, equals).trim(), override.slice(equals + 1).trim()];
  let value: unknown;
  try {
    value = text === "" ? "" : parse(text, YAML_OPTIONS);
  } catch {
    const expected = "a YAML value, e.g. 8, text, [a, b]";
    yield { problem: { key, value: text, expected, place } };
    return;
  }
  yield* isUpperCase(key) ? readUpperCase(key, value) : readOurs(key, value);
}

function* readOurs(key: string, value: unknown): Generator<Setting> {
  const place = "--set";
  if (isKnownKey(key)) {
    yield { path: key, value, origin: { key, place } };
    return;
  }
  const section = key.slice(0, Math.max(0, key.lastIndexOf(".")));
  const known = nearest(key, KNOWN_KEYS);
  yield { problem: describeUnknownKey({ key, value, section, nearest: known, place }) };
}

function* readUpperCase(key: string, value: unknown): Generator<Setting> {
  const place = "--set";
  if (isReferenceSection(key) && !isSection(value)) {
    const path = fromReferenceKey(key);
    if (path !== undefined) yield { path, value, origin: { key, place } };
    return;
  }
  const dot = key.lastIndexOf(".");
  for (const entry of translateKeys({ [key.slice(dot + 1)]: value }, key.slice(0, dot + 1))) {
    if ("path" in entry) {
      yield { path: entry.path, value: entry.value, origin: { key: entry.key, place } };
    } else if ("reason" in entry) yield { ignored: `${entry.key}: ${entry.reason}` };
    else yield { problem: unknownReferenceKey(entry.key, entry.value, place) };
  }
}
