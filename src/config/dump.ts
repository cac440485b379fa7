/** Writes a complete experiment as text. */
import { stringify } from "yaml";
import { isSection, withValueAt } from "./draft.ts";
import { toReferenceKey } from "./reference_keys.ts";
import type { ExperimentConfig } from "./experiment_config.ts";
import { YAML_OPTIONS } from "./yaml.ts";

/**
 * The experiment as JSON with an indent of 4, as the reference's log has it after "config".
 *
 * @returns Text that `loadExperiment()` reads back from a .json file.
 */
export function formatExperiment(config: ExperimentConfig): string {
  return JSON.stringify(config, null, 4);
}

/**
 * The experiment as YAML in the reference's upper-case keys, ours among them.
 *
 * @returns Text that `parseReferenceYaml()` reads back.
 */
export function formatReferenceYaml(config: ExperimentConfig): string {
  let result: unknown = {};
  for (const [key, value] of settingsOf(config)) {
    result = withValueAt(result, toReferenceKey(key).split("."), value);
  }
  return stringify(result, YAML_OPTIONS);
}

function* settingsOf(section: object, prefix = ""): Generator<[string, unknown]> {
  for (const [key, value] of Object.entries(section)) {
    if (value === undefined) continue;
    if (isSection(value)) yield* settingsOf(value, `${prefix}${key}.`);
    else yield [prefix + key, value];
  }
}
