import type { ExperimentConfig } from "../config/schema.ts";
import { freezeBackbone, parameterGroups } from "../models/freeze.ts";
import type { SiamBAN } from "../models/siamban.ts";
import type { Module } from "../nn/module.ts";
import { loadStateDict, stateShapes } from "../nn/state_dict.ts";
import { type ResumePoint, resumePoint } from "../training/checkpoint.ts";
import { newestWholeCheckpoint, readCheckpoint } from "../weights/checkpoint_file.ts";
import { type LoadReport, removePrefix, selectTensors } from "../weights/load.ts";
import { readWeights } from "../weights/read_weights.ts";
import { readTorchFile } from "../weights/torch_file.ts";
import { restoreFrom } from "../weights/torch_snapshot.ts";

/**
 * Loads the weights that an experiment starts from: those of the backbone, then, unless it resumes,
 * those of the whole model (tools/train.py `main`).
 *
 * @returns Messages: which keys were used, unused and missing.
 * @throws {Error} If a file cannot be read or does not fit the model.
 */
export async function* loadPretrained(
  model: SiamBAN,
  { backbone, training }: ExperimentConfig,
): AsyncGenerator<string> {
  if (backbone.pretrained) yield await loadWeights(model.backbone, backbone.pretrained);
  if (training.pretrained && !training.resume) yield await loadWeights(model, training.pretrained);
}

/**
 * Loads what fits of a weights file into a model or a part of one: PyTorch's files, safetensors, and
 * checkpoints of a training.
 *
 * @returns Which keys were used, unused and missing.
 * @throws {Error} If the file cannot be read, or nothing in it fits.
 */
export async function loadWeights(model: Module, path: string): Promise<string> {
  // A checkpoint of a training keeps the model's keys below "model.".
  const weights = removePrefix(await readWeights(path), "model.");
  const { tensors, report } = selectTensors(weights, stateShapes(model));
  loadStateDict(model, tensors, { strict: false });
  return formatLoad(path, report);
}

/** Where a run goes on, and what there is to say about it. */
export interface FoundResumePoint {
  readonly messages: readonly string[];
  readonly point?: ResumePoint;
}

/**
 * Finds the checkpoint that `training.resume` names, and loads its weights: a file of ours, a snapshot of
 * the published trainer, or `auto` for the newest whole one in `training.snapshotDir`.
 *
 * @throws {Error} If the checkpoint cannot be read or belongs to another training.
 */
export async function findResumePoint(
  model: SiamBAN,
  options: { readonly config: ExperimentConfig; readonly stepsPerEpoch: number },
): Promise<FoundResumePoint> {
  const { resume } = options.config.training;
  if (!resume) return { messages: [] };
  const found = resume === "auto"
    ? await findNewest(options)
    : { messages: [], point: await readResumePoint(resume, model, options), path: resume };
  if (!found.point) return { messages: [...found.messages, "nothing to resume, starting anew"] };
  loadStateDict(model, found.point.weights, { strict: false });
  const { epoch, step } = found.point.position;
  const place = `epoch ${epoch + 1} step ${step + 1}`;
  return {
    messages: [...found.messages, `resume from ${found.path} at ${place}`],
    point: found.point,
  };
}

async function findNewest(
  { config, stepsPerEpoch }: {
    readonly config: ExperimentConfig;
    readonly stepsPerEpoch: number;
  },
): Promise<FoundResumePoint & { readonly path?: string }> {
  const { snapshotDir } = config.training;
  try {
    const { newest, damaged, unfinished } = await newestWholeCheckpoint(snapshotDir);
    const messages = [
      ...damaged.map(({ path, reason }) => `passed by ${path}: ${reason}`),
      ...unfinished.map((name) => `passed by ${snapshotDir}/${name}: its writing was interrupted`),
    ];
    if (!newest) return { messages };
    const { path } = newest;
    return { messages, point: resumePoint(newest, { config, stepsPerEpoch, path }), path };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { messages: [] };
    throw error;
  }
}

async function readResumePoint(
  path: string,
  model: SiamBAN,
  { config, stepsPerEpoch }: {
    readonly config: ExperimentConfig;
    readonly stepsPerEpoch: number;
  },
): Promise<ResumePoint> {
  if (path.endsWith(".safetensors")) {
    return resumePoint(await readCheckpoint(path), { config, stepsPerEpoch, path });
  }
  const { value } = await readTorchFile(path);
  const epoch = value instanceof Map ? Number(value.get("epoch")) : NaN;
  // The snapshot was taken before the next epoch began, with the groups of the one before.
  const joined = epoch - 1 >= config.backbone.trainEpoch;
  freezeBackbone(model, joined ? config.backbone.trainLayers : []);
  const groups = parameterGroups(model).map(({ parameters }) => parameters.map(({ name }) => name));
  const snapshot = restoreFrom(value, { model: stateShapes(model), groups });
  return {
    position: { epoch: snapshot.epoch, step: 0 },
    weights: snapshot.tensors,
    velocities: snapshot.sgd.momentum,
  };
}

/** The report of siamban/utils/model_load.py `check_keys`. */
function formatLoad(path: string, { used, unused, missing, addedPrefix }: LoadReport): string {
  const list = (names: readonly string[]) => names.length === 0 ? "" : `\n  ${names.join("\n  ")}`;
  const prefix = addedPrefix ? `, with "${addedPrefix}" put before its keys` : "";
  return [
    `load pretrained weights from ${path}${prefix}`,
    `used keys: ${used.length}`,
    `unused checkpoint keys: ${unused.length}${list(unused)}`,
    `missing keys: ${missing.length}${list(missing)}`,
  ].join("\n");
}
