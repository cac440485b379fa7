/** A training state of a golden model: what trains, the first backward pass, and a few steps. */
import * as tf from "@tensorflow/tfjs";
import type { Tensor } from "@tensorflow/tfjs";
import {
  type BatchTensors,
  freezeBackbone,
  parameterGroups,
  type SiamBAN,
  type SiamBANLosses,
} from "../models/mod.ts";
import {
  Counter,
  gradients,
  namedEntries,
  type NamedParameter,
  type Parameter,
  setTraining,
  toTorchLayout,
} from "../nn/mod.ts";
import { type SgdEntry, sgdUpdate } from "../ops/mod.ts";
import type { ExperimentConfig } from "../config/mod.ts";
import type { StateDict } from "../weights/mod.ts";
import { type Check, check, checkEqual, type Deviation, worstOf } from "./check.ts";
import type { AfterSteps, BufferSummary, GoldenLosses, RegimeSection } from "./golden_model.ts";
import {
  checkGradients,
  FIRST_STEP,
  HostGradients,
  lossDeviations,
  readLosses,
} from "./gradient_checks.ts";
import { decide } from "./neighbours.ts";
import { checkOutput, checkTrace, disposeTrace, outputsOf, trace } from "./trace.ts";
import { absMax, l2Distance, l2Norm, sampleDifference, sampleNoise } from "./values.ts";

type Floats = Float32Array<ArrayBuffer>;

/** What a regime starts from. */
export interface RegimeContext {
  readonly prefix: string;
  /** Name of the section. */
  readonly regime: "frozen" | "finetune";
  readonly model: SiamBAN;
  readonly config: ExperimentConfig;
  readonly section: RegimeSection;
  readonly batch: BatchTensors;
  /** Golden labels and outputs. */
  readonly tensors: StateDict;
  /** Puts the starting weights back, or neighbours of them; see `decide`. */
  readonly reset: (neighbour?: number) => StateDict;
}

/** Tolerance of outputs as a share of the largest magnitude. */
const OUTPUT_SHARE = { frozen: 1e-3, finetune: 5e-3 };
/** Tolerance of parameters and of whatever else has gone through `steps` steps, relative to the change. */
const changeShare = (steps: number) => steps <= 1 ? 1e-2 : 5e-2;

/** Compares everything that a regime's section holds. */
export async function* checkRegime(context: RegimeContext): AsyncGenerator<Check> {
  const { prefix, regime, model, config, section, batch, tensors, reset } = context;
  const tensorsBefore = tf.memory().numTensors;
  const share = OUTPUT_SHARE[regime];
  // Running statistics move in every pass and the last check leaves evaluation mode behind.
  const start = (neighbour = 0) => {
    freezeBackbone(model, regime === "finetune" ? config.backbone.trainLayers : []);
    return reset(neighbour);
  };
  start();
  yield* checkGroups(context);

  const traced = trace(model, batch);
  const outputs = outputsOf(tensors, regime);
  yield* checkTrace(prefix, traced, { stages: section.stages ?? {}, tensors: outputs, share });
  disposeTrace(traced);

  yield* decide(async function* (neighbour) {
    yield* checkSteps(context, start(neighbour));
    yield* checkOutputsAfter(context);
  });
  const left = tf.memory().numTensors - tensorsBefore;
  yield check(`${prefix}/tensors_left`, { error: Math.abs(left), tolerance: 0 });
}

/** Outputs in evaluation mode after the last step. */
async function* checkOutputsAfter(context: RegimeContext): AsyncGenerator<Check> {
  const { prefix, regime, model, section, batch, tensors } = context;
  setTraining(model, false);
  const prediction = tf.tidy(() => model.track(model.template(batch.template), batch.search));
  for (const output of ["cls", "loc"] as const) {
    const golden = tensors.get(`${regime}.eval_after_3.${output}`);
    if (!golden) continue;
    // By then a network may have drifted further in float32 than a first pass may be off.
    const noise = section.float64_difference?.eval_after_3?.[output].max_abs ?? 0;
    const name = `${prefix}/eval_after_3.${output}`;
    yield await checkOutput(name, prediction[output], {
      golden,
      share: OUTPUT_SHARE[regime],
      atLeast: 10 * noise,
    });
  }
  tf.dispose([prediction.cls, prediction.loc]);
}

/** Groups of parameters and their rates, as `torch.optim.SGD` is given them. */
function* checkGroups({ prefix, model, config, section }: RegimeContext): Generator<Check> {
  const found = parameterGroups(model).map(({ name, parameters }) => {
    const lr = learningRate(config, name);
    return `${lr} ${parameters.map((parameter) => parameter.name).join(" ")}`;
  });
  const groups = section.optimizer_state_dict_before_step.param_groups;
  const expected = section.param_group_names.map((names, i) =>
    `${groups[i].lr} ${names.join(" ")}`
  );
  yield checkEqual(`${prefix}/param_groups`, found, expected);
}

function learningRate({ training, backbone }: ExperimentConfig, group: string): number {
  return training.baseLr * (group === "backbone" ? backbone.layersLr : 1);
}

/** A parameter with what the optimiser keeps of it. */
interface Trained extends NamedParameter {
  readonly velocity: Tensor;
  readonly learningRate: number;
}

async function* checkSteps(context: RegimeContext, start: StateDict): AsyncGenerator<Check> {
  const { prefix, model, config, section, batch } = context;
  const trained = parameterGroups(model).flatMap(({ name: group, parameters }) =>
    parameters.map((named): Trained => ({
      ...named,
      velocity: tf.zeros(named.parameter.tensor.shape),
      learningRate: learningRate(config, group),
    }))
  );
  const losses: GoldenLosses[] = [];
  const norms: number[] = [];
  for (let step = 1; step <= section.losses_before_each_step.length; step++) {
    const pass = gradients(trained.map(({ parameter }) => parameter), () => model.losses(batch));
    losses.push(await readLosses(pass.losses));
    if (step === 1) {
      yield* checkGradients(prefix, await HostGradients.read(trained, pass.gradients), section);
      yield await checkBuffers(context);
    }
    norms.push(await takeStep(trained, pass, config));
    const after = section[`after_${step}`];
    if (after) yield* checkChange(`${prefix}/after_${step}`, { trained, start, after, step });
  }
  yield* checkLosses(prefix, losses, section);
  yield checkTotalNorms(prefix, norms, section);
  yield await checkMomentum(prefix, trained, section);
  tf.dispose(trained.map(({ velocity }) => velocity));
}

/** Takes a step, frees the pass, returns the total gradient norm before clipping. */
async function takeStep(
  trained: readonly Trained[],
  pass: {
    readonly losses: SiamBANLosses;
    readonly gradients: ReadonlyMap<Parameter, Tensor>;
  },
  { training }: ExperimentConfig,
): Promise<number> {
  const entries = trained.flatMap(({ parameter, velocity, learningRate }): SgdEntry[] => {
    const gradient = pass.gradients.get(parameter);
    return gradient ? [{ parameter: parameter.tensor, gradient, velocity, learningRate }] : [];
  });
  const report = sgdUpdate(entries, {
    loss: pass.losses.total,
    momentum: training.momentum,
    weightDecay: training.weightDecay,
    clipNorm: training.gradClip,
    maxLoss: training.maxLoss,
  });
  const [norm] = await report.data();
  tf.dispose([report, ...pass.gradients.values(), ...Object.values(pass.losses)]);
  return norm;
}

function* checkLosses(
  prefix: string,
  found: readonly GoldenLosses[],
  section: RegimeSection,
): Generator<Check> {
  const deviations = found.map((losses, i) => {
    const truth = section.losses_float64[i];
    const golden = section.losses_before_each_step[i];
    const share = i === 0 ? FIRST_STEP : changeShare(i);
    return lossDeviations(losses, { truth, golden, share });
  });
  yield worstOf(`${prefix}/losses.1`, deviations[0]);
  yield worstOf(
    `${prefix}/losses.later`,
    deviations.slice(1).flatMap((step, i) =>
      [...step].map((deviation) => ({ ...deviation, item: `step ${i + 2} ${deviation.item}` }))
    ),
  );
}

function checkTotalNorms(
  prefix: string,
  found: readonly number[],
  section: RegimeSection,
): Check {
  const deviations = found.map((norm, i): Deviation => {
    const truth = section.total_grad_norm_float64[i];
    const noise = Math.abs(section.total_grad_norm_before_clip[i] - truth);
    const share = i === 0 ? 5e-3 : changeShare(i + 1);
    const tolerance = Math.max(10 * noise, share * truth);
    return { item: `step ${i + 1}`, error: Math.abs(norm - truth), tolerance };
  });
  return worstOf(`${prefix}/total_grad_norm`, deviations);
}

async function checkMomentum(
  prefix: string,
  trained: readonly Trained[],
  { optimizer_state_after_step, analytically_zero_gradient }: RegimeSection,
): Promise<Check> {
  const deviations: Deviation[] = [];
  for (const [item, norm] of Object.entries(optimizer_state_after_step.momentum_buffer_l2)) {
    if (analytically_zero_gradient.includes(item)) continue;
    const velocity = trained.find(({ name }) => name === item)?.velocity;
    const error = velocity ? Math.abs(l2Norm(await velocity.data()) - norm) : Infinity;
    deviations.push({ item, error, tolerance: changeShare(3) * norm });
  }
  return worstOf(`${prefix}/momentum`, deviations);
}

/** Parameters after some steps: their change since the start, for the steps are small. */
async function* checkChange(
  prefix: string,
  { trained, start, after, step }: {
    readonly trained: readonly Trained[];
    readonly start: StateDict;
    readonly after: AfterSteps;
    readonly step: number;
  },
): AsyncGenerator<Check> {
  const share = changeShare(step);
  const norms: Deviation[] = [], entries: Deviation[] = [];
  for (const { name: item, parameter } of trained) {
    const samples = after.samples[item];
    const truth = after.delta_l2_float64[item];
    if (!samples && truth === undefined) continue;
    const values = toTorchLayout(await parameter.tensor.data() as Floats, parameter.shape);
    const before = start.get(item)!.data as Floats;
    if (truth !== undefined) {
      const error = Math.abs(l2Distance(values, before) - truth);
      const noise = Math.abs(after.delta_l2[item] - truth);
      norms.push({ item, error, tolerance: Math.max(10 * noise, share * truth) });
    }
    if (samples) {
      const { idx, val_float64 = samples.val } = samples;
      const change = absMax(val_float64.map((value, k) => value - before[idx[k]]));
      const tolerance = Math.max(10 * sampleNoise(samples), share * change);
      entries.push({ item, error: sampleDifference(values, samples), tolerance });
    }
  }
  yield worstOf(`${prefix}/samples`, entries);
  yield worstOf(`${prefix}/delta_l2`, norms);
}

/** Running statistics after one training forward pass. */
async function checkBuffers(
  { prefix, regime, model, section }: RegimeContext,
): Promise<Check> {
  const entries = new Map(namedEntries(model).map(({ name, entry }) => [name, entry]));
  const deviations: Deviation[] = [];
  for (const [item, golden] of Object.entries(section.bn_buffers_after_first_forward)) {
    const entry = entries.get(item);
    const values = !entry
      ? []
      : entry instanceof Counter
      ? [entry.value]
      : await entry.tensor.data() as Floats;
    deviations.push(bufferDeviation(item, values, { golden, share: OUTPUT_SHARE[regime] }));
  }
  return worstOf(`${prefix}/bn_buffers`, deviations);
}

function bufferDeviation(
  item: string,
  values: ArrayLike<number>,
  { golden, share }: { readonly golden: BufferSummary; readonly share: number },
): Deviation {
  if ("value" in golden) {
    return { item, error: Math.abs(values[0] - golden.value), tolerance: 0 };
  }
  const error = Math.max(
    sampleDifference(values, golden),
    Math.abs(l2Norm(values) - golden.l2) / Math.sqrt(values.length),
  );
  return { item, error, tolerance: share * absMax(golden.val) };
}
