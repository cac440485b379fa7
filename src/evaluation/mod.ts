/**
 * Benchmarks: truth, raw results, scores under the conventions of several toolkits, tables.
 *
 * @module
 */
export * from "./ar.ts";
export * from "./benchmarks/mod.ts";
export * from "./conventions.ts";
export * from "./eao.ts";
export * from "./f1.ts";
export * from "./got10k.ts";
export * from "./ope.ts";
export * from "./ope_rules.ts";
export * from "./overlap.ts";
export * from "./plots/epochs_plot.ts";
export * from "./plots/plots.ts";
export * from "./protocols/mod.ts";
export * from "./region.ts";
export * from "./report/html.ts";
export * from "./report/replay_data.ts";
export { listTrackers } from "./result_names.ts";
export * from "./results.ts";
export * from "./run/follow.ts";
export * from "./run/result_files.ts";
export * from "./score.ts";
export {
  findTrackers,
  scoreBenchmark,
  type ScoredBenchmark,
  type ScoreRequest,
} from "./score_benchmark.ts";
export * from "./scores_json.ts";
export * from "./sequence.ts";
export * from "./start_box.ts";
export * from "./submission.ts";
export * from "./tables.ts";
export * from "./trajectory.ts";
export * from "./vot_overlap.ts";
