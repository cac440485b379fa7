import type { ExperimentConfig } from "../config/experiment_config.ts";
import { freezeBackbone, parameterGroups } from "../models/freeze.ts";
import type { SiamBAN } from "../models/siamban.ts";
import { loadStateDict, stateShapes } from "../nn/state_dict.ts";
import { type ResumePoint, resumePoint } from "../training/checkpoint.ts";
import { removePartialFiles } from "../weights/atomic_file.ts";
import {
  type CheckpointSearch,
  newestWholeCheckpoint,
  readCheckpoint,
} from "../weights/checkpoint_file.ts";
import { elementCount, hostTensor, type StateDict } from "../weights/host_tensor.ts";
import type { ModelShapes } from "../weights/load.ts";
import { readTorchFile } from "../weights/torch_file.ts";
import { groupSizes, restoreFrom } from "../weights/torch_snapshot.ts";
import { formatLoad } from "./weights.ts";

/** Where a run goes on, and what there is to say about it. */
export interface FoundResumePoint {
  readonly messages: readonly string[];
  /** Absent where there is nothing to resume. */
  readonly point?: ResumePoint;
}

/** The training that is to go on. */
interface Training {
  readonly config: ExperimentConfig;
  readonly stepsPerEpoch: number;
  /** Processes that train together. */
  readonly ranks: number;
}

/**
 * Finds the checkpoint that `training.resume` names, and loads its weights: a file of ours, a snapshot of
 * the published trainer, or `auto` for the newest whole one in `training.snapshotDir`.
 *
 * @throws {Error} If the checkpoint cannot be read or belongs to another training.
 */
export async function findResumePoint(
  model: SiamBAN,
  training: Training,
): Promise<FoundResumePoint> {
  const { resume } = training.config.training;
  if (!resume) return { messages: [] };
  const { messages, point } =
    await (resume === "auto"
      ? resumeNewest(training)
      : resume.endsWith(".safetensors")
      ? resumeFile(resume, training)
      : resumeSnapshot(resume, { model, config: training.config }));
  if (point) loadStateDict(model, point.weights);
  return { messages, point };
}

async function resumeNewest(training: Training): Promise<FoundResumePoint> {
  const folder = training.config.training.snapshotDir;
  const { newest, damaged, unfinished } = await searchCheckpoints(folder);
  const messages = [
    ...await Promise.all(damaged.map(setAside)),
    ...unfinished.map((name) => `removed ${folder}/${name}: its writing was interrupted`),
  ];
  if (unfinished.length > 0) await removePartialFiles(folder);
  if (!newest) {
    return { messages: [...messages, `nothing to resume in ${folder}, starting anew`] };
  }
  const { path } = newest;
  const point = resumePoint(newest, { ...training, path });
  return { messages: [...messages, resumeMessage(path, point)], point };
}

/** Gives a damaged checkpoint a name that nothing takes for a checkpoint; says so. */
async function setAside({ path, reason }: CheckpointSearch["damaged"][number]): Promise<string> {
  const aside = `${path}.damaged`;
  try {
    await Deno.rename(path, aside);
    return `set aside ${path} as ${aside}: ${reason}`;
  } catch {
    return `passed by ${path}: ${reason}`; // It is in nobody's way where it is.
  }
}

async function searchCheckpoints(folder: string): Promise<CheckpointSearch> {
  try {
    return await newestWholeCheckpoint(folder);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { damaged: [], unfinished: [] };
    throw error;
  }
}

async function resumeFile(path: string, training: Training): Promise<FoundResumePoint> {
  const checkpoint = await readCheckpoint(path).catch((cause) => explainMissing(path, cause));
  const point = resumePoint(checkpoint, { ...training, path });
  return { messages: [resumeMessage(path, point)], point };
}

/** Goes on from a snapshot of the published trainer. */
async function resumeSnapshot(
  path: string,
  { model, config }: { readonly model: SiamBAN; readonly config: ExperimentConfig },
): Promise<FoundResumePoint> {
  const { value } = await readTorchFile(path).catch((cause) => explainMissing(path, cause));
  // The file numbers its parameters; their names follow from what of the model trains, and a
  // backbone that does not is an empty first group.
  const [backboneSize] = groupSizes(value);
  freezeBackbone(model, backboneSize > 0 ? config.backbone.trainLayers : []);
  const groups = parameterGroups(model).map(({ parameters }) => parameters.map(({ name }) => name));
  const shapes = stateShapes(model);
  const { epoch, tensors, report, sgd } = restoreFrom(value, { model: shapes, groups });
  const point = {
    position: { epoch, step: 0 },
    weights: tensors,
    velocities: withZeros(sgd.momentum, groups.flat(), shapes),
  };
  return { messages: [formatLoad(path, report), resumeMessage(path, point)], point };
}

/** PyTorch keeps no momentum for a parameter that never had a gradient. */
function withZeros(
  momentum: StateDict,
  names: readonly string[],
  shapes: ModelShapes,
): StateDict {
  return new Map(names.map((name) => {
    const shape = shapes.get(name)!;
    const zeros = () => hostTensor("float32", shape, new Float32Array(elementCount(shape)));
    return [name, momentum.get(name) ?? zeros()];
  }));
}

function resumeMessage(path: string, { position: { epoch, step } }: ResumePoint): string {
  return `resume from ${path} at epoch ${epoch + 1} step ${step + 1}`;
}

function explainMissing(path: string, cause: unknown): never {
  if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  throw new Error(
    `Cannot resume: there is no file "${path}", name a checkpoint, or take the newest one with ` +
      "--resume auto",
    { cause },
  );
}
