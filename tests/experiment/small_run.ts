/** A whole experiment, from drawn videos on, that takes seconds. */
import { type ExperimentConfig } from "../../src/config/mod.ts";
import { type RunEvent, runExperiment } from "../../src/experiment/run.ts";
import type { Summary } from "../../src/experiment/summary.ts";
import type { Experiment } from "../../src/config/mod.ts";
import { tinyExperiment } from "../training/tiny.ts";

/** Four steps an epoch on three drawn videos; everything lies below `folder`. */
export function smallExperiment(
  folder: string,
  { training, ...sections }: Pick<Experiment, "training" | "validation" | "name"> & {
    readonly backbone?: { readonly trainEpoch?: number; readonly pretrained?: string };
  } = {},
): ExperimentConfig {
  const demo = {
    root: `${folder}/demo/crop511`,
    anno: `${folder}/demo/train.json`,
    frameRange: 5,
    numUse: 8,
    source: { format: "synthetic" as const, videos: 3, frames: 6 },
  };
  return tinyExperiment({
    ...sections,
    dataset: { names: ["DEMO"], sets: { DEMO: demo }, videosPerEpoch: 8, neg: 0.2 },
    training: {
      logDir: "",
      snapshotDir: `${folder}/snapshot`,
      printFreq: 2,
      ...training,
    },
  });
}

/**
 * Runs an experiment.
 *
 * @param until Leaves the run, as a person does who stops the program, after the first event that this picks.
 */
export async function runAll(
  config: ExperimentConfig,
  until: (event: RunEvent) => boolean = () => false,
): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of runExperiment(config)) {
    events.push(event);
    if (until(event)) break;
  }
  return events;
}

/** Total losses of all steps, in order. */
export function lossesOf(events: readonly RunEvent[]): number[] {
  return events.flatMap((event) => event.kind === "step" ? [event.step.report.losses.total] : []);
}

/** All messages, in order. */
export function messagesOf(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) => event.kind === "message" ? [event.text] : []);
}

/** The figures at the end. */
export function summaryOf(events: readonly RunEvent[]): Summary {
  const last = events.at(-1);
  if (last?.kind === "done") return last.summary;
  throw new Error(`The last event is ${last?.kind}`);
}
