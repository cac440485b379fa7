/** From a configuration to a trained, tracked and saved model. */
export * from "./checkpoints.ts";
export * from "./data.ts";
export * from "./export.ts";
export * from "./held_out.ts";
export * from "./incident.ts";
export { meet } from "./job.ts";
export * from "./loading.ts";
export * from "./picture.ts";
export * from "./resume.ts";
export * from "./run.ts";
export * from "./run_benchmark.ts";
export type { Summary } from "./summary.ts";
export * from "./trained.ts";
export * from "./weights.ts";
