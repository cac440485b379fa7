/** Whole networks with formula weights against golden outputs, gradients and optimiser steps. */
import * as tf from "@tensorflow/tfjs";
import { type ExperimentConfig, parseDraft, parseReferenceYaml } from "../config/mod.ts";
import { type BatchTensors, buildModel, type SiamBAN } from "../models/mod.ts";
import {
  Counter,
  gradients,
  loadStateDict,
  namedEntries,
  namedParameters,
  Parameter,
  setTrainable,
  setTraining,
  stateShapes,
  torchShape,
} from "../nn/mod.ts";
import type { StateDict } from "../weights/mod.ts";
import { type Check, check, checkEqual, worstOf } from "./check.ts";
import { formulaImage, formulaStateDict } from "./formula.ts";
import type { BackwardSection, GoldenModel, GoldenModelFile } from "./golden_model.ts";
import {
  checkGradients,
  FIRST_STEP,
  HostGradients,
  lossDeviations,
  readLosses,
} from "./gradient_checks.ts";
import { checkLayers } from "./layers.ts";
import { neighbourOf } from "./neighbours.ts";
import { checkRegime } from "./regime.ts";
import { checkTrace, disposeTrace, outputsOf, trace } from "./trace.ts";
import { channelsLast } from "./values.ts";

/** Sections of a golden model file that {@linkcode checkModel} can compare. */
export const MODEL_SECTIONS = ["eval", "eval_bn_all_params", "frozen", "finetune"] as const;

/** A section's name. */
export type ModelSection = typeof MODEL_SECTIONS[number];

/**
 * Compares a network with a golden model on the current backend.
 *
 * @param options `sections`: which of those that the file has; default all.
 * @returns A check a quantity, as they come: structure first, then section by section.
 */
export async function* checkModel(
  golden: GoldenModel,
  { sections = MODEL_SECTIONS }: { readonly sections?: readonly ModelSection[] } = {},
): AsyncGenerator<Check> {
  const { file, layers, tensors } = golden;
  const config = experimentOf(file);
  using model = buildModel(config);
  yield* checkStructure(file, model);
  if (layers) yield checkLayers(`${file.name}/layers`, model, layers);

  const weights = formulaStateDict(stateShapes(model), file);
  const reset = (neighbour = 0): StateDict => {
    const start = neighbour === 0 ? weights : neighbourOf(weights, neighbour);
    loadStateDict(model, start);
    return start;
  };
  const batch = toBatch(golden);
  try {
    for (const section of sections.filter((name) => file[name] !== undefined)) {
      const prefix = `${file.name}/${section}`;
      reset();
      if (section === "eval") yield* checkEval(prefix, { golden, model, batch });
      else if (section === "eval_bn_all_params") {
        yield* checkBackward(prefix, { section: file[section]!, model, batch });
      } else {
        const regime = { regime: section, section: file[section]! };
        yield* checkRegime({ prefix, ...regime, model, config, batch, tensors, reset });
      }
    }
  } finally {
    tf.dispose({ ...batch });
  }
}

/** The experiment of a golden model; its images may be of other sizes than an experiment's. */
export function experimentOf({ config, name }: GoldenModelFile): ExperimentConfig {
  // JSON is YAML.
  const draft = parseReferenceYaml(JSON.stringify(config), name);
  return parseDraft(draft, { checkSizes: false });
}

function* checkStructure(file: GoldenModelFile, model: SiamBAN): Generator<Check> {
  const found = [...namedEntries(model)].map(({ name, entry }) => {
    const shape = torchShape(entry.shape).join();
    const dtype = entry instanceof Counter ? "int64" : "float32";
    return `${name} [${shape}] ${dtype} ${entry instanceof Parameter ? "param" : "buffer"}`;
  });
  const expected = file.state_dict
    .map(([name, shape, dtype, role]) => `${name} [${shape}] ${dtype} ${role}`);
  yield checkEqual(`${file.name}/state_dict`, found, expected);
  const count = namedParameters(model)
    .reduce((sum, { parameter }) => sum + parameter.tensor.size, 0);
  yield check(`${file.name}/n_params`, { error: Math.abs(count - file.n_params), tolerance: 0 });
}

function toBatch({ file, tensors }: GoldenModel): BatchTensors {
  const image = (role: "template" | "search") => {
    const { formula_image, shape: [batch, channels, height, width] } = file.inputs[role];
    const values = formulaImage(formula_image, { batch, height, width, seed: file.seed });
    return tf.tensor4d(values, [batch, height, width, channels]);
  };
  const cls = tensors.get("label_cls")!, loc = tensors.get("label_loc")!;
  const [batch, sides, height, width] = loc.shape;
  return {
    template: image("template"),
    search: image("search"),
    labelCls: tf.tensor3d(Int32Array.from(cls.data as BigInt64Array, Number), [
      ...cls.shape,
    ] as [number, number, number], "int32"),
    labelLoc: tf.tensor4d(channelsLast(loc.data as Float32Array, loc.shape), [
      batch,
      height,
      width,
      sides,
    ]),
  };
}

/** Tolerance of outputs in evaluation mode, as a share of the largest magnitude. */
const EVAL_SHARE = 1e-3;

async function* checkEval(
  prefix: string,
  { golden: { file, tensors }, model, batch }: {
    readonly golden: GoldenModel;
    readonly model: SiamBAN;
    readonly batch: BatchTensors;
  },
): AsyncGenerator<Check> {
  setTraining(model, false);
  // Frozen, so that it also goes the way of a tracker: folded, nothing recorded.
  setTrainable(model, false);
  const traced = trace(model, batch);
  yield* checkTrace(prefix, traced, {
    stages: file.eval!.stages,
    tensors: outputsOf(tensors, "eval"),
    share: EVAL_SHARE,
  });
  disposeTrace(traced);
}

async function* checkBackward(
  prefix: string,
  { section, model, batch }: {
    readonly section: BackwardSection;
    readonly model: SiamBAN;
    readonly batch: BatchTensors;
  },
): AsyncGenerator<Check> {
  setTraining(model, false);
  setTrainable(model, true);
  const parameters = [...namedParameters(model)];
  const pass = gradients(parameters.map(({ parameter }) => parameter), () => model.losses(batch));
  const losses = await readLosses(pass.losses);
  const host = await HostGradients.read(parameters, pass.gradients);
  tf.dispose([...pass.gradients.values(), ...Object.values(pass.losses)]);
  const { losses: golden, losses_float64: truth } = section;
  yield worstOf(`${prefix}/losses`, lossDeviations(losses, { truth, golden, share: FIRST_STEP }));
  const total = section.total_grad_norm_float64;
  const noise = Math.abs(section.total_grad_norm - total);
  yield check(`${prefix}/total_grad_norm`, {
    error: Math.abs(host.totalNorm() - total),
    tolerance: Math.max(10 * noise, 5e-3 * total),
  });
  yield* checkGradients(prefix, host, section);
}
