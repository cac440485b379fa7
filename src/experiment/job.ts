/** What the processes of one training have to agree on. */
import { broadcastText, type Collective } from "../collective.ts";
import type { ExperimentConfig } from "../config/experiment_config.ts";
import type { SiamBAN } from "../models/siamban.ts";
import { namedParameters } from "../nn/module.ts";
import { loadStateDict, stateDict } from "../nn/state_dict.ts";
import type { ResumePoint } from "../training/checkpoint.ts";
import { lrFactor, RECIPE_BATCH } from "../training/learning_rates.ts";
import { hostTensor, type StateDict } from "../weights/host_tensor.ts";

/** Returns when all ranks are here. */
export function meet(collective: Collective): void {
  collective.sum(new Float64Array(1));
}

/**
 * Gives all ranks what rank 0 starts from: weights and running statistics, and where it resumes.
 *
 * @param point Rank 0's; that of other ranks is not looked at.
 */
export function shareStart(
  model: SiamBAN,
  { point, collective }: {
    readonly point: ResumePoint | undefined;
    readonly collective: Collective;
  },
): ResumePoint | undefined {
  if (collective.size === 1) return point;
  const weights = shareTensors(stateDict(model), collective);
  loadStateDict(model, weights);
  const text = broadcastText(collective, JSON.stringify(point ? summaryOf(point) : null));
  const summary: PointSummary | null = JSON.parse(text);
  if (!summary) return undefined;
  const { position, averages, shapes } = summary;
  const velocities = point?.velocities ??
    new Map(shapes.map(([name, shape]) => [name, zeros(shape)]));
  return {
    position,
    weights,
    velocities: shareTensors(velocities, collective),
    ...(averages ? { averages } : {}),
  };
}

/** All of a resume point but its numbers. */
type PointSummary = Pick<ResumePoint, "position" | "averages"> & {
  readonly shapes: readonly (readonly [name: string, shape: readonly number[]])[];
};

function summaryOf({ position, averages, velocities }: ResumePoint): PointSummary {
  return {
    position,
    averages,
    shapes: Array.from(velocities, ([name, { shape }]) => [name, shape]),
  };
}

function zeros(shape: readonly number[]) {
  return hostTensor(
    "float32",
    shape,
    new Float32Array(shape.reduce((product, size) => product * size, 1)),
  );
}

/** Rank 0's tensors on all ranks; the others' have the same names and shapes. */
function shareTensors(tensors: StateDict, collective: Collective): StateDict {
  return new Map(Array.from(tensors, ([name, tensor]) => {
    const data = tensor.data.slice();
    collective.broadcast(new Uint8Array(data.buffer));
    return [name, { ...tensor, data }];
  }));
}

/** What a step of the job is, for a person to check before hours of training. */
export function formatJob({ training }: ExperimentConfig, { size }: Collective): string {
  const { batchSize, gradientReduction, lrRule, baseLr, syncBatchNorm } = training;
  const factor = lrFactor(training, size);
  const pairs = batchSize * size;
  const effective = baseLr * factor * (gradientReduction === "sum" ? size : 1);
  return `${size} processes of ${batchSize} pairs: ${pairs} pairs a step, where the recipe has ` +
    `${RECIPE_BATCH}; gradients ${
      gradientReduction === "sum" ? "summed" : "averaged"
    }, batch norm ` +
    `${syncBatchNorm ? "over all" : "of each alone"}; learning rate ${baseLr} x ${
      factor.toPrecision(3)
    } ` +
    `(rule ${lrRule}), in effect ${effective.toPrecision(3)} on the mean gradient`;
}

/**
 * Compares the parameters of all ranks, which must be the same bit for bit.
 *
 * @returns Which rank differs from rank 0, if one does.
 */
export function findDrift(model: SiamBAN, collective: Collective): string | undefined {
  const { rank, size } = collective;
  if (size === 1) return undefined;
  const sums = new Float64Array(size);
  sums[rank] = fingerprint(model);
  collective.sum(sums);
  const other = sums.findIndex((sum) => sum !== sums[0]);
  if (other < 0) return undefined;
  return `Cannot go on: the parameters of rank ${other} differ from those of rank 0, expected the same ` +
    "bits on all ranks; check that all machines have the same processors, libraries and program, and " +
    "start again with --resume auto";
}

/** 32-bit FNV-1a hash of all parameters' bits. */
function fingerprint(model: SiamBAN): number {
  let hash = 0x811c9dc5;
  for (const { parameter } of namedParameters(model)) {
    const values = parameter.tensor.dataSync();
    const words = new Int32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i], 0x01000193);
  }
  return hash >>> 0;
}
