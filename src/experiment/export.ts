import { extname } from "@std/path";
import type { ExperimentConfig } from "../config/experiment_config.ts";
import type { ParameterGroup } from "../models/freeze.ts";
import { openCheckpoint, type ResumePoint } from "../training/checkpoint.ts";
import { initialLr } from "../training/optimizer.ts";
import { lrSpaceOf } from "../training/learning_rates.ts";
import type { Position } from "../training/trainer.ts";
import type { WrittenFile } from "../weights/atomic_file.ts";
import { readCheckpoint } from "../weights/checkpoint_file.ts";
import { writeSafetensors } from "../weights/safetensors.ts";
import { type SgdGroup, type TorchSnapshot, toTorchSnapshot } from "../weights/torch_snapshot.ts";
import { writeTorchFile } from "../weights/torch_writer.ts";

/** What {@linkcode exportCheckpoint} wrote. */
export interface ExportReport extends WrittenFile {
  /** Where the training was. */
  readonly position: Position;
  /** Number of tensors of the model. */
  readonly weights: number;
  /** Number of parameters whose momentum went along. */
  readonly momenta: number;
}

/**
 * Converts a checkpoint of ours for other programs: to `.safetensors` the weights alone; to `.pth`, which
 * `torch.load` reads, what the published trainer saves and resumes: epoch, weights and the state of SGD.
 *
 * @param from A checkpoint of a training.
 * @param config The experiment that it belongs to: its learning rates go along.
 * @throws {RangeError} If `to` ends in something else.
 * @throws {Error} If `from` is no checkpoint, or `to` cannot be written.
 */
export async function exportCheckpoint(
  { from, to, config }: {
    readonly from: string;
    readonly to: string;
    readonly config: ExperimentConfig;
  },
): Promise<ExportReport> {
  const form = extname(to).toLowerCase();
  if (form !== ".pth" && form !== ".safetensors") {
    throw new RangeError(
      `Cannot export to "${to}": expected a name that ends in .pth or .safetensors`,
    );
  }
  const point = openCheckpoint(await readCheckpoint(from), from);
  const { position, weights, velocities } = point;
  const written = form === ".pth"
    ? await writeTorchFile(to, toTorchSnapshot(snapshotOf(point, config)))
    : await writeSafetensors(to, weights);
  const momenta = form === ".pth" ? velocities.size : 0;
  return { ...written, position, weights: weights.size, momenta };
}

/** A resume point as the published trainer has it; that one goes on at the beginning of the epoch. */
function snapshotOf(
  { position: { epoch }, weights, velocities }: ResumePoint,
  config: ExperimentConfig,
): TorchSnapshot {
  const { momentum, weightDecay, epochs } = config.training;
  const space = lrSpaceOf(config);
  const groups = groupNames(weights).map((name): SgdGroup => {
    const start = initialLr(name, config);
    return {
      // Parity: tools/train.py writes the rate of the epoch before, and goes on with what the file says.
      lr: space.groupLr(Math.min(epoch, epochs - 1), start),
      initialLr: start,
      momentum,
      weightDecay,
      // A state dict has the parameters in PyTorch's order.
      parameters: [...weights.keys()]
        .filter((key) => key.startsWith(`${name}.`) && velocities.has(key)),
    };
  });
  return { epoch, stateDict: weights, sgd: { groups, momentum: velocities } };
}

/** The groups of tools/train.py `build_opt_lr`; that of a frozen backbone is there and empty. */
function groupNames(weights: ReadonlyMap<string, unknown>): ParameterGroup["name"][] {
  const hasNeck = weights.keys().some((key) => key.startsWith("neck."));
  return hasNeck ? ["backbone", "neck", "head"] : ["backbone", "head"];
}
