/** The types of a complete experiment, all read off what `complete()` makes of the schema's output. */
import type { complete } from "./complete.ts";

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
