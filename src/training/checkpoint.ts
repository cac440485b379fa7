/** What an exact resume needs, to and from our checkpoint files. */
import { join } from "@std/path";
import { z } from "zod";
import type { ExperimentConfig } from "../config/experiment_config.ts";
import { stateDict } from "../nn/state_dict.ts";
import type { Checkpoint, JsonValue } from "../weights/checkpoint_file.ts";
import type { StateDict } from "../weights/host_tensor.ts";
import { writeCheckpointAside } from "../weights/write_aside.ts";
import type { Average, Quantity } from "./meters.ts";
import type { Position, Trainer } from "./trainer.ts";
import { writeError } from "./write_error.ts";

/** Running averages of the printed quantities. */
export type Averages = Readonly<Record<Quantity, Average>>;

/** Where a training goes on, and what it goes on with. */
export interface ResumePoint {
  readonly position: Position;
  /** Weights and running statistics, PyTorch's names and layout. */
  readonly weights: StateDict;
  /** Momentum by parameter name, in PyTorch's layout. */
  readonly velocities: StateDict;
  readonly averages?: Averages;
}

/** The keys of the model's tensors in the file begin so, those of the momentum with the other. */
const MODEL = "model.";
const VELOCITY = "velocity.";

const count = () => z.int().min(0);
/** JSON has no NaN and no infinity: they are null in the file. */
const figure = () => z.number().nullable().transform((value) => value ?? NaN);
const average = z.object({
  window: z.int(),
  last: figure(),
  mean: figure(),
  history: z.array(z.number()),
  count: count(),
});
const quantities = ["batch_time", "data_time", "cls_loss", "loc_loss", "total_loss"] as const;

/** What a checkpoint holds beside tensors. */
const stateSchema = z.object({
  format: z.literal(1),
  /** Name of the experiment, for a person who looks into the file. */
  experiment: z.string(),
  position: z.object({ epoch: count(), step: count() }),
  /** What the data of a step follows from; it must not change within a training. */
  invariants: z.object({ seed: count(), batchSize: count(), stepsPerEpoch: count() }),
  averages: z.record(z.enum(quantities), average).nullable(),
});
type Invariants = z.infer<typeof stateSchema>["invariants"];

/**
 * Name of the checkpoint at a position: `checkpoint_e3` after three epochs as tools/train.py has it,
 * `checkpoint_e3.step100` on the way.
 */
export function checkpointName({ epoch, step }: Position): string {
  return `checkpoint_e${epoch}${step > 0 ? `.step${step}` : ""}.safetensors`;
}

/**
 * Makes the folder of the checkpoints and tries to write there: better before a training than after its first hours.
 *
 * @throws {Error} If that is impossible: names path, reason and remedy.
 */
export async function makeSnapshotFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
    await Deno.remove(await Deno.makeTempFile({ dir: path, prefix: ".try", suffix: ".partial" }));
  } catch (cause) {
    throw writeError(path, cause);
  }
}

/**
 * Writes all that an exact resume needs, on a thread of its own; what is written is taken before this
 * returns its promise, so that the training may go on meanwhile: weights, running statistics, momentum, position and averages. The random
 * streams need nothing, they are functions of the seed and the position.
 *
 * @param options `folder`: exists, see {@linkcode makeSnapshotFolder}.
 * @returns Path of the file, which is there whole or not at all.
 */
export async function saveCheckpoint(
  trainer: Trainer,
  { folder, config, stepsPerEpoch, ranks = 1, averages }: {
    readonly folder: string;
    readonly config: ExperimentConfig;
    readonly stepsPerEpoch: number;
    /** Processes that train together; 1. */
    readonly ranks?: number;
    readonly averages?: Averages;
  },
): Promise<string> {
  const { position, model, optimizer } = trainer;
  const tensors = new Map(stateDict(model, MODEL));
  for (const [name, velocity] of optimizer.velocities()) tensors.set(VELOCITY + name, velocity);
  const state = {
    format: 1,
    experiment: config.name,
    position: { ...position },
    invariants: invariantsOf(config, { stepsPerEpoch, ranks }),
    averages: averages ? toJson(averages) : null,
  };
  const path = join(folder, checkpointName(position));
  await writeCheckpointAside(path, { tensors, state });
  return path;
}

/** Checkpoints within an epoch that are kept: should the newest be damaged, there is one before it. */
const KEPT_WITHIN = 2;

/**
 * Removes the checkpoints within an epoch up to a position but for the newest {@linkcode KEPT_WITHIN}; and of those at the
 * end of an epoch all but the newest `keep`.
 *
 * @param keep 0 keeps all.
 * @returns The names removed.
 */
export async function removeOutdated(
  folder: string,
  newest: Position,
  keep = 0,
): Promise<string[]> {
  const within: (Position & { readonly name: string })[] = [];
  const removed: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const numbers = /^checkpoint_e(\d+)(?:\.step(\d+))?\.safetensors$/.exec(name);
    if (!numbers) continue;
    const [epoch, step] = numbers.slice(1).map((digits) => Number(digits ?? 0));
    if (step === 0) {
      if (keep > 0 && epoch <= newest.epoch - keep) removed.push(name);
    } else if (epoch < newest.epoch || (epoch === newest.epoch && step <= newest.step)) {
      within.push({ name, epoch, step });
    }
  }
  within.sort((a, b) => b.epoch - a.epoch || b.step - a.step);
  removed.push(...within.slice(KEPT_WITHIN).map(({ name }) => name));
  for (const name of removed) await Deno.remove(join(folder, name));
  return removed;
}

/**
 * Takes a checkpoint apart.
 *
 * @param path Its name in a message.
 * @throws {RangeError} If its state is not one that {@linkcode saveCheckpoint} writes.
 */
export function openCheckpoint({ tensors, state }: Checkpoint, path: string): ResumePoint {
  const { position, averages } = readState(state, path);
  return {
    position,
    weights: partOf(tensors, MODEL) ?? new Map(),
    velocities: partOf(tensors, VELOCITY) ?? new Map(),
    ...(averages ? { averages } : {}),
  };
}

/**
 * Takes a checkpoint apart to go on with its training.
 *
 * @throws {RangeError} If it belongs to a training whose steps have other data.
 */
export function resumePoint(
  checkpoint: Checkpoint,
  { config, stepsPerEpoch, ranks = 1, path }: {
    readonly config: ExperimentConfig;
    readonly stepsPerEpoch: number;
    readonly ranks?: number;
    readonly path: string;
  },
): ResumePoint {
  const { invariants: saved } = readState(checkpoint.state, path);
  const current = invariantsOf(config, { stepsPerEpoch, ranks });
  const keys = Object.keys(current) as (keyof Invariants)[];
  const changed = keys.find((key) => saved[key] !== current[key]);
  if (changed === undefined) return openCheckpoint(checkpoint, path);
  throw new RangeError(
    `Cannot resume "${path}": its ${changed} is ${saved[changed]}, expected ${
      current[changed]
    } as in ` +
      "the experiment, change that back or start anew with training.pretrained",
  );
}

/**
 * The weights of the model alone, where a file also holds the momentum of its training.
 *
 * @param tensors Of a checkpoint or of any weights file, which is returned as it is.
 */
export function modelWeights(tensors: StateDict): StateDict {
  return partOf(tensors, MODEL) ?? tensors;
}

/** The tensors whose keys begin with a prefix, without it; nothing if there are none. */
function partOf(tensors: StateDict, prefix: string): StateDict | undefined {
  const part = [...tensors].filter(([name]) => name.startsWith(prefix));
  if (part.length === 0) return undefined;
  return new Map(part.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

function invariantsOf(
  { training: { seed, batchSize } }: ExperimentConfig,
  { stepsPerEpoch, ranks }: { readonly stepsPerEpoch: number; readonly ranks: number },
): Invariants {
  // The pairs of a step are the same, however many ranks they are spread over.
  return { seed, batchSize: batchSize * ranks, stepsPerEpoch };
}

function readState(state: JsonValue, path: string): z.infer<typeof stateSchema> {
  const { data, error } = stateSchema.safeParse(state);
  if (data) return data;
  const { path: key, message } = error.issues[0];
  throw new RangeError(
    `Cannot resume "${path}": its state is of another form (${key.join(".")}: ${message}), ` +
      "use the version of the program that wrote it",
  );
}

function toJson(averages: Averages): JsonValue {
  const finite = (value: number) => Number.isFinite(value) ? value : null;
  return Object.fromEntries(
    Object.entries(averages).map(([name, average]) => {
      return [name, { ...average, mean: finite(average.mean), last: finite(average.last) }];
    }),
  );
}
