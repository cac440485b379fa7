/** Experiments: what they contain, how they are written, read and checked. */
export type { DatasetSet, SourceConfig } from "./dataset_schema.ts";
export type { Draft, Origin } from "./draft.ts";
export { draftOf } from "./draft.ts";
export { formatExperiment, formatReferenceYaml } from "./dump.ts";
export { type BackboneShape, featureChannels, featureSizes, layerNames } from "./feature_maps.ts";
export { type LoadedExperiment, loadExperiment, type LoadOptions } from "./load.ts";
export { applyOverrides } from "./overrides.ts";
export { parseDraft, parseExperiment, type ParseOptions } from "./parse.ts";
export { ExperimentError, type Problem } from "./problems.ts";
export {
  type BackboneConfig,
  type DatasetConfig,
  type Experiment,
  type ExperimentConfig,
  experimentSchema,
  type HeadConfig,
  type NeckConfig,
  type ScheduleConfig,
  type TrackingConfig,
  type TrainingConfig,
  type ValidationConfig,
  type WarmupConfig,
} from "./schema.ts";
export { parseReferenceYaml, parseYaml } from "./yaml.ts";
