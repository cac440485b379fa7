/** The form of a golden model: `<name>.json`, `<name>.safetensors`, `<name>.layers.json` side by side. */
import { readSafetensors, type StateDict } from "../weights/mod.ts";

/** Sampled elements: `val[k]` is at flat index `idx[k]` of the PyTorch layout. */
export interface Samples {
  readonly idx: readonly number[];
  readonly val: readonly number[];
  /** The same from a float64 run: the truth, where it is there. */
  readonly val_float64?: readonly number[];
}

/** Statistics and samples of a feature map `[B, C, H, W]`. */
export interface StageSummary extends Samples {
  readonly shape: readonly number[];
  readonly mean: number;
  /** Of the population. */
  readonly std: number;
  readonly absmax: number;
  readonly min: number;
  readonly max: number;
}

/** Losses of a step. */
export interface GoldenLosses {
  readonly cls_loss: number;
  readonly loc_loss: number;
  readonly total_loss: number;
}

/** Gradients of a backward pass by state-dict key. */
export interface GoldenGradients {
  readonly grad_norm: Readonly<Record<string, number>>;
  readonly grad_norm_float64: Readonly<Record<string, number>>;
  /** Keys whose gradient is 0 but for rounding. */
  readonly analytically_zero_gradient: readonly string[];
  readonly grad_samples: Readonly<Record<string, Samples>>;
}

/** Evaluation mode, template then search. */
export interface EvalSection {
  readonly stages: Readonly<Record<string, StageSummary>>;
}

/** One backward pass with all norms in evaluation mode and all parameters trained. */
export interface BackwardSection extends GoldenGradients {
  readonly losses: GoldenLosses;
  readonly losses_float64: GoldenLosses;
  readonly total_grad_norm: number;
  readonly total_grad_norm_float64: number;
}

/** Parameters after some steps. */
export interface AfterSteps {
  readonly samples: Readonly<Record<string, Samples>>;
  /** L2 norm of the change since the start. */
  readonly delta_l2: Readonly<Record<string, number>>;
  readonly delta_l2_float64: Readonly<Record<string, number>>;
}

/** A norm's buffer: samples and L2 norm, or a counter's value. */
export type BufferSummary = (Samples & { readonly l2: number }) | { readonly value: number };

/** A training state, and some optimiser steps on one batch. */
export interface RegimeSection extends GoldenGradients {
  readonly stages?: Readonly<Record<string, StageSummary>>;
  readonly param_group_names: readonly (readonly string[])[];
  readonly optimizer_state_dict_before_step: {
    readonly param_groups: readonly { readonly lr: number; readonly params: readonly number[] }[];
  };
  readonly optimizer_state_after_step: {
    readonly momentum_buffer_l2: Readonly<Record<string, number>>;
  };
  readonly losses_before_each_step: readonly GoldenLosses[];
  readonly losses_float64: readonly GoldenLosses[];
  readonly total_grad_norm_before_clip: readonly number[];
  readonly total_grad_norm_float64: readonly number[];
  readonly bn_buffers_after_first_forward: Readonly<Record<string, BufferSummary>>;
  /** `after_<n>`: parameters after n steps. */
  readonly [after: `after_${number}`]: AfterSteps;
  readonly float64_difference?: {
    readonly eval_after_3?: Readonly<Record<"cls" | "loc", { readonly max_abs: number }>>;
  };
}

/** A whole network with formula weights, in every mode. */
export interface GoldenModelFile {
  readonly name: string;
  readonly seed: number;
  readonly gain: number;
  readonly batch: number;
  /** Sections of the reference's configuration, upper-case keys. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<
    Record<"template" | "search", {
      readonly formula_image: string;
      /** `[B, 3, H, W]`. */
      readonly shape: readonly number[];
    }>
  >;
  /** Key, shape, element type and `param` or `buffer`, in order. */
  readonly state_dict: readonly (readonly [string, readonly number[], string, string])[];
  readonly n_params: number;
  readonly eval?: EvalSection;
  readonly eval_bn_all_params?: BackwardSection;
  readonly frozen?: RegimeSection;
  readonly finetune?: RegimeSection;
}

/** Every leaf module with its geometry, in the order of declaration. */
export interface GoldenLayers {
  readonly modules: readonly (readonly [
    name: string,
    type: string,
    geometry: Readonly<Record<string, number | boolean>>,
  ])[];
}

/** All that is known of a network. */
export interface GoldenModel {
  readonly file: GoldenModelFile;
  readonly layers?: GoldenLayers;
  /** Labels and raw head outputs. */
  readonly tensors: StateDict;
}

/** Keys that are no section of results. */
const DESCRIPTION = [
  ..."name seed gain batch config inputs labels state_dict n_params".split(" "),
];
const SECTIONS = ["eval", "eval_bn_all_params", "frozen", "finetune"];

/** Whether a parsed JSON file has the form of a golden model. */
export function isGoldenModel(value: unknown): value is GoldenModelFile {
  return typeof value === "object" && value !== null &&
    ["config", "gain", "inputs", "state_dict"].every((key) => key in value);
}

/** Sections of a golden model that nothing here compares. */
export function unknownSections(file: GoldenModelFile): string[] {
  return Object.keys(file).filter((key) => !DESCRIPTION.includes(key) && !SECTIONS.includes(key));
}

/**
 * Reads a golden model.
 *
 * @param path Of its JSON file.
 * @throws {TypeError} If the file is not one.
 */
export async function readGoldenModel(path: string): Promise<GoldenModel> {
  const file = JSON.parse(await Deno.readTextFile(path));
  if (!isGoldenModel(file)) {
    throw new TypeError(`Cannot read ${path}: it has no config, gain, inputs and state_dict`);
  }
  const base = path.replace(/\.json$/, "");
  const { tensors } = await readSafetensors(`${base}.safetensors`);
  return { file, tensors, layers: await readLayers(`${base}.layers.json`) };
}

async function readLayers(path: string): Promise<GoldenLayers | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
