/** Learning rates, steps, reports, logs and checkpoints. */
export * from "./checkpoint.ts";
export * from "./learning_rates.ts";
export * from "./log_file.ts";
export * from "./meters.ts";
export * from "./optimizer.ts";
export * from "./progress_bar.ts";
export * from "./report.ts";
export * from "./report_lines.ts";
export * from "./schedule.ts";
export * from "./step.ts";
export * from "./step_runner.ts";
export * from "./tensorboard.ts";
export * from "./trainer.ts";
