import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor, Tensor1D } from "@tensorflow/tfjs";
import { type StepInput, toTensor } from "../backends/mod.ts";
import { ALONE, type Collective } from "../collective.ts";
import type { BatchArrays } from "../data/batches.ts";
import type { BatchTensors, SiamBAN } from "../models/siamban.ts";
import { type GradientReduction, jointGradients } from "./joint_gradients.ts";
import type { Sgd } from "./optimizer.ts";
import type { ParameterNorm, StepLosses } from "./report.ts";

/** What a step leaves on the device, to be read by {@linkcode readStep}. */
export interface StepTensors {
  readonly cls: Scalar;
  readonly loc: Scalar;
  readonly total: Scalar;
  /** This rank's own part of the total loss, where there are several. */
  readonly own?: Scalar;
  /** What {@linkcode Sgd.step} returned. */
  readonly update: Tensor1D;
  /** Norms of the gradients, then of the weights, where they were asked for. */
  readonly norms?: { readonly names: readonly string[]; readonly values: Tensor1D };
}

/** The figures of a step. */
export interface StepFigures {
  readonly losses: StepLosses;
  /** This rank's own part of the total loss. */
  readonly ownLoss: number;
  /** Gradient norm before clipping. */
  readonly gradNorm: number;
  /** Whether the parameters were changed. */
  readonly applied: boolean;
  readonly parameterNorms?: readonly ParameterNorm[];
}

/** How a step is taken. */
export interface StepOptions {
  readonly optimizer: Sgd;
  /** By group of the optimiser. */
  readonly learningRates: readonly number[];
  /** Whether to take the norm of each parameter and its gradient. */
  readonly norms?: boolean;
  /** Pairs that pass through the network at once; all of the batch. */
  readonly microBatch?: number;
  /** Processes that share the step; this one alone. */
  readonly collective?: Collective;
  /** How the gradients of the ranks become one; `mean`. */
  readonly reduction?: GradientReduction;
}

/**
 * Forward, backward and update on one batch, together with the batches of all other ranks. Nothing is read back, so a
 * device need not wait.
 *
 * @param batch Free again when this returns.
 */
export function trainStep(
  model: SiamBAN,
  batch: BatchTensors,
  { optimizer, learningRates, norms, microBatch, collective = ALONE, reduction = "mean" }:
    StepOptions,
): StepTensors {
  const parameters = optimizer.parameters.map(({ parameter }) => parameter);
  const { losses, own, gradients: found } = jointGradients(model, batch, {
    parameters,
    microBatch,
    collective,
    reduction,
  });
  // Norms of the weights are those that the gradients belong to, so they come before the update.
  const before = norms ? { norms: normsOf(optimizer, found) } : {};
  const update = optimizer.step(found, { learningRates, loss: losses.total });
  tf.dispose([...found.values()]);
  return { ...losses, ...(own ? { own } : {}), update, ...before };
}

/** Reads what a step left on the device, and frees it. */
export async function readStep(tensors: StepTensors): Promise<StepFigures> {
  const { cls, loc, total, own = total, update, norms } = tensors;
  const owned: Tensor[] = [cls, loc, total, own, update, ...(norms ? [norms.values] : [])];
  const [[clsLoss], [locLoss], [totalLoss], [ownLoss], [gradNorm, , applied], normValues] =
    await Promise.all(owned.map((tensor) => tensor.data<"float32">()));
  tf.dispose(owned);
  return {
    losses: { cls: clsLoss, loc: locLoss, total: totalLoss },
    ownLoss,
    gradNorm,
    applied: applied === 1,
    ...(norms
      ? {
        parameterNorms: norms.names.map((name, i) => ({
          name,
          gradient: normValues[i],
          weight: normValues[norms.names.length + i],
        })),
      }
      : {}),
  };
}

/** The numbers of a batch of `size` pairs. */
export type HostBatch = BatchArrays & { readonly size: number };

/** The inputs of a step as they lie on the host. */
export function batchInputs(
  batch: HostBatch,
): { readonly [K in keyof BatchTensors]: StepInput } {
  const { size: b } = batch;
  const side = (length: number, channels: number) => Math.sqrt(length / channels / b);
  const template = side(batch.template.length, 3), search = side(batch.search.length, 3);
  const score = side(batch.labelCls.length, 1);
  const map = (values: StepInput["values"], size: number, channels: number) =>
    ({ values, shape: [b, size, size, channels], dtype: "float32" }) as const;
  return {
    template: map(batch.template, template, 3),
    search: map(batch.search, search, 3),
    labelCls: { values: batch.labelCls, shape: [b, score, score], dtype: "int32" },
    labelLoc: map(batch.labelLoc, score, 4),
  };
}

/** Brings a batch to the device; on a host backend the tensors share the batch's memory. */
export function toBatchTensors(batch: HostBatch): BatchTensors {
  const tensors = Object.entries(batchInputs(batch))
    .map(([name, input]) => [name, toTensor(input)]);
  return Object.fromEntries(tensors) as BatchTensors;
}

function normsOf(
  optimizer: Sgd,
  found: ReadonlyMap<unknown, Tensor>,
): NonNullable<StepTensors["norms"]> {
  const trained = optimizer.parameters.filter(({ parameter }) => found.has(parameter));
  const values = tf.tidy(() => {
    const norm = (tensor: Tensor) => tensor.square().sum().sqrt();
    const gradientNorms = trained.map(({ parameter }) => norm(found.get(parameter)!));
    const weightNorms = trained.map(({ parameter }) => norm(parameter.tensor));
    return tf.stack([...gradientNorms, ...weightNorms]) as Tensor1D;
  });
  return { names: trained.map(({ name }) => name), values };
}
