/** Reads experiments from files. */
import { basename, extname, resolve, toFileUrl } from "@std/path";
import { type Draft, draftOf } from "./draft.ts";
import { nearest } from "./known_keys.ts";
import { applyOverrides } from "./overrides.ts";
import { parseDraft, type ParseOptions } from "./parse.ts";
import { ExperimentError } from "./problems.ts";
import type { ExperimentConfig } from "./experiment_config.ts";
import { parseYaml } from "./yaml.ts";

/** Options of {@link loadExperiment}. */
export interface LoadOptions extends Pick<ParseOptions, "checkSizes"> {
  /** Settings that replace the file's, each `key=value`; see `applyOverrides()`. */
  readonly overrides?: readonly string[];
}

/** An experiment from a file. */
export interface LoadedExperiment {
  readonly config: ExperimentConfig;
  /** What the file says without effect, each with the reason. */
  readonly ignored: readonly string[];
}

/**
 * Reads an experiment: a module with a default export (.ts, .js), or data (.json, .yaml, .yml) in
 * our keys or in the reference's.
 *
 * @param path The file, from the current folder.
 * @throws {ExperimentError} If the file is missing, or naming all that is wrong in it.
 */
export async function loadExperiment(
  path: string,
  { overrides = [], checkSizes }: LoadOptions = {},
): Promise<LoadedExperiment> {
  const draft = applyOverrides(await readDraft(path), overrides);
  return { config: parseDraft(draft, { checkSizes }), ignored: draft.ignored };
}

async function readDraft(path: string): Promise<Draft> {
  await checkFile(path);
  switch (extname(path).toLowerCase()) {
    case ".ts":
    case ".js":
    case ".mjs":
      return draftOf(await importDefault(path), path);
    case ".json":
    case ".yaml":
    case ".yml":
      return parseYaml(await Deno.readTextFile(path), path);
    default: {
      const expected = "a file that ends in .ts, .js, .json, .yaml or .yml";
      throw new ExperimentError(path, [{ key: "--config", value: path, expected }]);
    }
  }
}

async function checkFile(path: string): Promise<void> {
  try {
    if ((await Deno.stat(path)).isFile) return;
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
  const available = await listConfigs();
  const stem = (file: string) => basename(file, extname(file));
  const namesake = nearest(stem(path), available.map(stem));
  throw new ExperimentError(path, [{
    key: "--config",
    value: path,
    found: "no such file",
    expected: available.length === 0 ? "an experiment" : `one of ${available.join(", ")}, or yours`,
    nearest: available.find((file) => stem(file) === namesake),
  }]);
}

/** The experiments in the program's own configs/ folder. */
async function listConfigs(): Promise<string[]> {
  if (import.meta.dirname === undefined) return [];
  const files: string[] = [];
  for await (const file of Deno.readDir(resolve(import.meta.dirname, "../../configs"))) {
    if (file.isFile) files.push(`configs/${file.name}`);
  }
  return files.sort();
}

async function importDefault(path: string): Promise<unknown> {
  let module: { readonly default?: unknown };
  try {
    module = await import(toFileUrl(resolve(path)).href);
  } catch (cause) {
    const [reason] = String(cause instanceof Error ? cause.message : cause).split("\n");
    const found = `cannot be imported (${reason.replace(/\.$/, "")})`;
    const expected = "a module that runs";
    throw new ExperimentError(path, [{ key: "module", found, expected }], { cause });
  }
  if (module.default === undefined) {
    const expected = '"export default { … } satisfies Experiment"';
    throw new ExperimentError(path, [{ key: "default", found: "is not exported", expected }]);
  }
  return module.default;
}
