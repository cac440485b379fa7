/** Experiments: what they contain, how they are written, read and checked. */
export type { DatasetSet, SourceConfig } from "./dataset_schema.ts";
export type { Draft, Origin } from "./draft.ts";
export { draftOf } from "./draft.ts";
export { formatExperiment, formatReferenceYaml } from "./dump.ts";
export type {
  BackboneConfig,
  DatasetConfig,
  ExperimentConfig,
  HeadConfig,
  NeckConfig,
  ScheduleConfig,
  TrackingConfig,
  TrainingConfig,
  ValidationConfig,
  WarmupConfig,
} from "./experiment_config.ts";
export { type BackboneShape, featureChannels, featureSizes, layerNames } from "./feature_maps.ts";
export { type LoadedExperiment, loadExperiment, type LoadOptions } from "./load.ts";
export { applyOverrides } from "./overrides.ts";
export { parseDraft, parseExperiment, type ParseOptions } from "./parse.ts";
export { ExperimentError, type Problem } from "./problems.ts";
export { type Experiment, experimentSchema } from "./schema.ts";
export { parseReferenceYaml, parseYaml } from "./yaml.ts";
