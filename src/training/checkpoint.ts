import { join } from "@std/path";
import type { ExperimentConfig } from "../config/schema.ts";
import { stateDict } from "../nn/state_dict.ts";
import { type Checkpoint, type JsonValue, writeCheckpoint } from "../weights/checkpoint_file.ts";
import { type HostTensor, hostTensor, type StateDict, toFloat32 } from "../weights/host_tensor.ts";
import type { SiamBAN } from "../models/siamban.ts";
import type { Average, Quantity } from "./meters.ts";
import type { Position, Trainer } from "./trainer.ts";

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

const MODEL = "model.";
const VELOCITY = "velocity.";

/** Numbers that must not change within a training, because the data of a step follows from them. */
interface Invariants {
  readonly seed: number;
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
}

/**
 * Name of the checkpoint at a position: `checkpoint_e3` after three epochs as tools/train.py has it,
 * `checkpoint_e3.step100` on the way.
 */
export function checkpointName({ epoch, step }: Position): string {
  return `checkpoint_e${epoch}${step > 0 ? `.step${step}` : ""}.safetensors`;
}

/**
 * Writes all that an exact resume needs: weights, running statistics, momentum, position and averages. The random
 * streams need nothing, they are functions of the seed and the position.
 *
 * @returns Path of the file, which is there whole or not at all.
 */
export async function saveCheckpoint(
  trainer: Trainer,
  { folder, config, stepsPerEpoch, averages }: {
    readonly folder: string;
    readonly config: ExperimentConfig;
    readonly stepsPerEpoch: number;
    readonly averages?: Averages;
  },
): Promise<string> {
  const { position, model } = trainer;
  const tensors = new Map(stateDict(model, MODEL));
  for (const [name, velocity] of trainer.optimizer.velocities()) {
    tensors.set(VELOCITY + name, velocity);
  }
  const { seed, batchSize } = config.training;
  const state = {
    format: 1,
    experiment: config.name,
    position: { ...position },
    invariants: { seed, batchSize, stepsPerEpoch },
    averages: averages ? toJson(averages) : null,
  };
  await Deno.mkdir(folder, { recursive: true });
  const path = join(folder, checkpointName(position));
  await writeCheckpoint(path, { tensors, state });
  return path;
}

/**
 * Takes a checkpoint apart.
 *
 * @throws {RangeError} If it belongs to a training whose steps have other data.
 */
export function resumePoint(
  { tensors, state }: Checkpoint,
  { config, stepsPerEpoch, path }: {
    readonly config: ExperimentConfig;
    readonly stepsPerEpoch: number;
    readonly path: string;
  },
): ResumePoint {
  const saved = state as unknown as {
    readonly position: Position;
    readonly invariants: Invariants;
    readonly averages: Averages | null;
  };
  const { seed, batchSize } = config.training;
  const current: Invariants = { seed, batchSize, stepsPerEpoch };
  for (const key of ["seed", "batchSize", "stepsPerEpoch"] as const) {
    if (saved.invariants[key] !== current[key]) {
      throw new RangeError(
        `Cannot resume "${path}": its ${key} is ${saved.invariants[key]}, expected ${
          current[key]
        } as in ` +
          "the experiment, change that back or start anew with training.pretrained",
      );
    }
  }
  const part = (prefix: string) =>
    new Map(
      [...tensors].filter(([name]) => name.startsWith(prefix))
        .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
    );
  return {
    position: saved.position,
    weights: part(MODEL),
    velocities: part(VELOCITY),
    ...(saved.averages ? { averages: saved.averages } : {}),
  };
}

/** JSON has no NaN: a last value that is none is written as the mean. */
function toJson(averages: Averages): JsonValue {
  const finite = (value: number, otherwise: number) => Number.isFinite(value) ? value : otherwise;
  return Object.fromEntries(
    Object.entries(averages).map(([name, average]) => {
      const mean = finite(average.mean, 0);
      return [name, { ...average, mean, last: finite(average.last, mean) }];
    }),
  );
}
