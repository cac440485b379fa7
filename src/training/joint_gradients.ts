/** The gradients of a step whose batch is spread over parts and ranks. */
import * as tf from "@tensorflow/tfjs";
import type { Rank, Scalar, Tensor, Tensor1D } from "@tensorflow/tfjs";
import type { Collective } from "../collective.ts";
import type { BatchTensors, SiamBAN, SiamBANLosses } from "../models/siamban.ts";
import { gradients } from "../nn/gradients.ts";
import type { Parameter } from "../nn/parameter.ts";
import { allReduce } from "../ops/all_reduce.ts";
import { countPoints } from "../ops/select_cross_entropy.ts";

/**
 * How the gradients of the ranks become one. `mean`: as if one process had the batches of all, each point
 * counting the same. `sum`: added up, as the published trainer does, so that more ranks take larger steps.
 */
export type GradientReduction = "mean" | "sum";

/** How the work is spread. */
export interface JointOptions {
  readonly parameters: readonly Parameter[];
  /** Pairs that pass through the network at once; all of the batch. */
  readonly microBatch?: number;
  readonly collective: Collective;
  readonly reduction: GradientReduction;
}

/** Losses and gradients over all parts and ranks; everything belongs to the caller. */
export interface JointPass {
  /** Of the whole batch; with `sum` the mean of the ranks' losses. */
  readonly losses: SiamBANLosses;
  /** This rank's part of the total, where there are several ranks. */
  readonly own?: Scalar;
  readonly gradients: ReadonlyMap<Parameter, Tensor>;
}

/** Losses and gradients of a batch that is this rank's part of a step. */
export function jointGradients(
  model: SiamBAN,
  batch: BatchTensors,
  { parameters, microBatch, collective, reduction }: JointOptions,
): JointPass {
  const parts = splitBatch(batch, microBatch);
  if (parts.length === 1 && collective.size === 1) {
    return gradients(parameters, () => model.losses(batch));
  }
  const whole = wholeCounts(batch, { collective, reduction });
  const passes = sumPasses(parts, (part) => {
    const shares = sharesOf(part, whole);
    const pass = gradients(parameters, () => model.losses(part, shares));
    tf.dispose([shares.positive, shares.negative]);
    return pass;
  });
  tf.dispose(whole);
  if (parts.length > 1) { for (const part of parts) tf.dispose({ ...part }); }
  if (collective.size === 1) return passes;
  return reduceRanks(passes, { collective, reduction });
}

/** Slices along the batch. */
function splitBatch(batch: BatchTensors, size = batch.template.shape[0]): readonly BatchTensors[] {
  const pairs = batch.template.shape[0];
  if (size >= pairs) return [batch];
  const take = <R extends Rank>(tensor: Tensor<R>, first: number): Tensor<R> =>
    tensor.slice([first], [Math.min(size, pairs - first)]);
  return Array.from({ length: Math.ceil(pairs / size) }, (_, i) => ({
    template: take(batch.template, i * size),
    search: take(batch.search, i * size),
    labelCls: take(batch.labelCls, i * size),
    labelLoc: take(batch.labelLoc, i * size),
  }));
}

/** Positive and negative points that count as one batch, `[2]`. */
function wholeCounts(
  { labelCls }: BatchTensors,
  { collective, reduction }: Pick<JointOptions, "collective" | "reduction">,
): Tensor1D {
  const counts = countPoints(labelCls);
  if (reduction === "mean") allReduce([counts], collective);
  return counts;
}

/** A class without any point has a loss of 0, whatever its share. */
function sharesOf({ labelCls }: BatchTensors, whole: Tensor1D) {
  const [positive, negative] = tf.tidy(() => {
    const shares = tf.divNoNan(countPoints(labelCls), whole);
    return tf.unstack(shares) as [Scalar, Scalar];
  });
  return { positive, negative };
}

type Pass = Pick<JointPass, "losses" | "gradients">;

/** Adds up what each part gives, and holds two at a time at most. */
function sumPasses(parts: readonly BatchTensors[], run: (part: BatchTensors) => Pass): Pass {
  return parts.slice(1).reduce((sum, part) => addPasses(sum, run(part)), run(parts[0]));
}

function addPasses(a: Pass, b: Pass): Pass {
  const add = <T extends Tensor>(one: T | undefined, other: T | undefined): T => {
    if (!one || !other) return (one ?? other)!;
    const sum = one.add<T>(other);
    tf.dispose([one, other]);
    return sum;
  };
  const { cls, loc, total } = a.losses;
  const keys = new Set([...a.gradients.keys(), ...b.gradients.keys()]);
  return {
    losses: {
      cls: add(cls, b.losses.cls),
      loc: add(loc, b.losses.loc),
      total: add(total, b.losses.total),
    },
    gradients: new Map(
      Array.from(keys, (key) => [key, add(a.gradients.get(key), b.gradients.get(key))]),
    ),
  };
}

function reduceRanks(
  { losses, gradients }: Pass,
  { collective, reduction }: Pick<JointOptions, "collective" | "reduction">,
): JointPass {
  const { cls, loc, total: own } = losses;
  const means = tf.stack([cls, loc, own]) as Tensor1D;
  // In order of the parameters, which is the same on all ranks; the losses go along.
  allReduce([means, ...gradients.values()], collective);
  const [clsMean, locMean, total] = tf.tidy(() =>
    tf.unstack(reduction === "sum" ? means.div(collective.size) : means) as Scalar[]
  );
  tf.dispose([means, cls, loc]);
  return { losses: { cls: clsMean, loc: locMean, total }, own, gradients };
}
