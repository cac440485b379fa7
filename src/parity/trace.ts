/** A whole network stage by stage. */
import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import type { Features, Prediction, SiamBAN } from "../models/mod.ts";
import type { HostTensor, StateDict } from "../weights/mod.ts";
import { type Check, type Deviation, worstOf } from "./check.ts";
import type { StageSummary } from "./golden_model.ts";
import { absMax, channelsFirst, maxDifference, stageDeviation } from "./values.ts";

/** The outputs of one forward pass, under the names that a golden model gives them. */
export interface Trace extends Prediction {
  /** E.g. `backbone.layer2.template`, `neck.0.search`. */
  readonly stages: ReadonlyMap<string, Tensor4D>;
}

/** Runs template, then search image, and keeps every stage's output; the caller disposes of them. */
export function trace(
  model: SiamBAN,
  images: { readonly template: Tensor4D; readonly search: Tensor4D },
): Trace {
  const stages = new Map<string, Tensor4D>();
  const traced: Features[] = [];
  for (const role of ["template", "search"] as const) {
    const outputs = model.backbone.trace(images[role]);
    for (const [name, y] of outputs) stages.set(`backbone.${name}.${role}`, y);
    traced.push(model.backbone.outputs.map((name) => outputs.get(name)!));
  }
  const [zf, xf] = traced.map((features, i) => {
    if (!model.neck) return features;
    const adjusted = model.neck.forward(features);
    adjusted.forEach((y, level) => stages.set(`neck.${level}.${["template", "search"][i]}`, y));
    return adjusted;
  });
  return { stages, ...model.head.forward(zf, xf) };
}

/** Frees what {@linkcode trace} returned. */
export function disposeTrace({ stages, cls, loc }: Trace): void {
  tf.dispose([...stages.values(), cls, loc]);
}

/** Compares a trace with its summaries, and the head's outputs with the whole golden ones. */
export async function* checkTrace(
  prefix: string,
  traced: Trace,
  { stages, tensors, share }: {
    readonly stages: Readonly<Record<string, StageSummary>>;
    readonly tensors: Readonly<Record<"cls" | "loc", HostTensor | undefined>>;
    /** Tolerance as a share of the largest magnitude. */
    readonly share: number;
  },
): AsyncGenerator<Check> {
  const deviations: Deviation[] = [];
  for (const [name, summary] of Object.entries(stages)) {
    deviations.push(await deviationOf(name, traced, { summary, share }));
  }
  yield worstOf(`${prefix}/stages`, deviations);
  for (const output of ["cls", "loc"] as const) {
    const golden = tensors[output];
    if (golden) yield await checkOutput(`${prefix}/${output}`, traced[output], { golden, share });
  }
}

async function deviationOf(
  name: string,
  { stages }: Trace,
  { summary, share }: { readonly summary: StageSummary; readonly share: number },
): Promise<Deviation> {
  // A neck of one level has no list of outputs, and so no number.
  const y = stages.get(name) ?? stages.get(name.replace(/^neck\.(?=\D)/, "neck.0."));
  if (!y) return { item: `${name} is no stage here`, error: Infinity, tolerance: 0 };
  const [batch, height, width, channels] = y.shape;
  const shape = [batch, channels, height, width];
  return stageDeviation(name, await channelsFirst(y), { summary, shape, share });
}

/**
 * Compares an output of the head `[B, S, S, C]` with a golden one `[B, C, S, S]`.
 *
 * @param options Tolerance: a share of the largest magnitude, or a difference if that is more.
 */
export async function checkOutput(
  name: string,
  output: Tensor4D,
  { golden, share, atLeast = 0 }: {
    readonly golden: HostTensor;
    readonly share: number;
    readonly atLeast?: number;
  },
): Promise<Check> {
  const expected = golden.data as Float32Array;
  const error = maxDifference(await channelsFirst(output), expected);
  const tolerance = Math.max(share * absMax(expected), atLeast);
  return worstOf(name, [{ item: `[${golden.shape}]`, error, tolerance }]);
}

/** The golden outputs of a section. */
export function outputsOf(tensors: StateDict, section: string) {
  return { cls: tensors.get(`${section}.cls`), loc: tensors.get(`${section}.loc`) };
}
