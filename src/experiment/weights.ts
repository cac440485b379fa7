import type { ExperimentConfig } from "../config/experiment_config.ts";
import type { SiamBAN } from "../models/siamban.ts";
import type { Module } from "../nn/module.ts";
import { loadStateDict, stateShapes } from "../nn/state_dict.ts";
import { modelWeights } from "../training/checkpoint.ts";
import { type LoadReport, selectTensors } from "../weights/load.ts";
import { readWeights } from "../weights/read_weights.ts";

/**
 * Loads the weights that a new training starts from: those of the backbone, then those of the whole model
 * (tools/train.py `main`).
 *
 * @returns Messages: which keys were used, unused and missing.
 * @throws {Error} If a file cannot be read or does not fit the model.
 */
export async function* loadPretrained(
  model: SiamBAN,
  { backbone, training }: ExperimentConfig,
): AsyncGenerator<string> {
  const starts: readonly (readonly [key: string, path: string, part: Module])[] = [
    ["backbone.pretrained", backbone.pretrained, model.backbone],
    ["training.pretrained", training.pretrained, model],
  ];
  for (const [key, path, part] of starts) {
    if (!path) continue;
    try {
      yield formatLoad(path, await loadWeights(part, path));
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotFound)) throw cause;
      throw new Error(
        `Cannot load ${key}: there is no file "${path}", put it there, ` +
          `or start from random weights with --set ${key}=`,
        { cause },
      );
    }
  }
}

/**
 * Loads what fits of a weights file into a model or a part of one: PyTorch's files, safetensors, and
 * checkpoints of a training.
 *
 * @returns Which keys were used, unused and missing.
 * @throws {Error} If the file cannot be read, or nothing in it fits.
 */
export async function loadWeights(model: Module, path: string): Promise<LoadReport> {
  const weights = modelWeights(await readWeights(path));
  const { tensors, report } = selectTensors(weights, stateShapes(model));
  loadStateDict(model, tensors, { strict: false });
  return report;
}

/** Tells what a weights file gave (siamban/utils/model_load.py `check_keys`). */
export function formatLoad(
  path: string,
  { used, unused, missing, addedPrefix }: LoadReport,
): string {
  const list = (names: readonly string[]) => names.map((name) => `\n  ${name}`).join("");
  const prefix = addedPrefix ? `, with "${addedPrefix}" put before its keys` : "";
  return [
    `load pretrained weights from ${path}${prefix}`,
    `used keys: ${used.length}`,
    `unused checkpoint keys: ${unused.length}${list(unused)}`,
    `missing keys: ${missing.length}${list(missing)}`,
  ].join("\n");
}
