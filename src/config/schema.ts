/** The experiment: one schema gives its types, its defaults and its validation. */
import { z } from "zod";
import { datasetSchema, sourceSchema } from "./dataset_schema.ts";
import { flag, section, text, whole } from "./fields.ts";
import { backboneSchema, headSchema, neckSchema, pointsSchema } from "./model_schema.ts";
import { trackingSchema, trainingSchema } from "./training_schema.ts";
import type { complete } from "./complete.ts";

/**
 * Everything siamban/core/config.py holds, with its defaults, and a few settings of ours.
 *
 * What depends on other settings (channels, trainable layers, base sizes) stays open here;
 * `parseExperiment()` fills it in and checks that the parts fit.
 */
export const experimentSchema = section({
  /** Name of the experiment (META_ARC). */
  name: text().default("siamban_r50_l234"),
  /** Whether `training.device: "auto"` may take a GPU. */
  cuda: flag().default(true),
  training: trainingSchema,
  dataset: datasetSchema,
  backbone: backboneSchema,
  neck: neckSchema,
  head: headSchema,
  points: pointsSchema,
  tracking: trackingSchema,
  /** Sequences that training never sees, tracked before and after it. */
  validation: section({
    source: sourceSchema,
    /** How many of them; the first ones. */
    sequences: whole({ min: 1 }).default(8),
  }).optional(),
});

/** An experiment as a file in configs/ writes it: every key may be left out. */
export type Experiment = z.input<typeof experimentSchema>;

/** An experiment after the schema: types are right, what depends on other settings is still open. */
export type OpenExperiment = z.output<typeof experimentSchema>;

type DeepReadonly<T> = T extends readonly (infer Item)[] ? readonly DeepReadonly<Item>[]
  : T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
  : T;

/** A complete, checked experiment: what the program works with. */
export type ExperimentConfig = DeepReadonly<ReturnType<typeof complete>>;

/** Settings of the backbone, told apart by `type`. */
export type BackboneConfig = ExperimentConfig["backbone"];
/** Settings of the neck, told apart by `type`. */
export type NeckConfig = ExperimentConfig["neck"];
/** Settings of the head, told apart by `type`. */
export type HeadConfig = ExperimentConfig["head"];
/** Settings of the training run. */
export type TrainingConfig = ExperimentConfig["training"];
/** Settings of the data. */
export type DatasetConfig = ExperimentConfig["dataset"];
/** Settings of the tracker. */
export type TrackingConfig = ExperimentConfig["tracking"];
/** Sequences to track before and after training. */
export type ValidationConfig = NonNullable<ExperimentConfig["validation"]>;
/** One learning-rate space, told apart by `type`. */
export type ScheduleConfig = TrainingConfig["lr"];
/** The learning-rate space of the first epochs. */
export type WarmupConfig = TrainingConfig["lrWarmup"];
