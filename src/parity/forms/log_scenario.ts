/** A scripted training of the published trainer, and what this program prints and writes for it. */
import { z } from "zod";
import { type MeteredStep, meterStep } from "../../training/meters.ts";
import type { StepReport } from "../../training/report.ts";
import { stepMessages } from "../../training/report_lines.ts";
import { buildLrSpace } from "../../training/schedule.ts";
import { scalarsOf } from "../../training/tensorboard.ts";
import { type Check, checkEqual, type Deviation, worstOf } from "../check.ts";
import { differenceOf } from "../compare.ts";
import { real, reals } from "../form.ts";

/** The trainer's settings, losses and clock, with what it printed and wrote. */
export const logScenario = z.object({
  name: z.string(),
  EPOCH: real(),
  START_EPOCH: real().default(0),
  PRINT_FREQ: real(),
  num_per_epoch: real(),
  iterations_seen: real(),
  lr_warmup_epochs: real(),
  losses_cls_loc: z.array(reals()),
  /** Three readings a step: its start, its data, its end. */
  clock: reals(),
  lines: z.array(z.object({ message: z.string() })).default([]),
  scalars: z.array(z.tuple([z.string(), real(), real()])).default([]),
});

/** A {@linkcode logScenario}. */
export type LogScenario = z.infer<typeof logScenario>;

/** Rates of the published configuration; a scenario names only the length of the warm-up. */
const RATES = {
  lr: { type: "log", startLr: 0.005, endLr: 0.00005 },
  warmup: { type: "step", startLr: 0.001, endLr: 0.005, step: 1 },
  groups: [0.0005, 0.005, 0.005],
} as const;

/** The published trainer skips a step whose loss is above this or no number. */
const MOST_LOSS = 1e4;

/** The scenario's steps as the trainer here would report them. */
export function reportsOf(scenario: LogScenario): StepReport[] {
  const { EPOCH: epochs, num_per_epoch: stepsPerEpoch, lr_warmup_epochs } = scenario;
  const warmup = { ...RATES.warmup, epoch: lr_warmup_epochs };
  const rates = buildLrSpace({ epochs, lr: RATES.lr, ...(lr_warmup_epochs > 0 && { warmup }) });
  return Array.from({ length: scenario.iterations_seen }, (_, globalStep) => {
    const epoch = Math.floor(globalStep / stepsPerEpoch);
    const [start, data, batch] = scenario.clock.slice(globalStep * 3);
    const [cls, loc] = scenario.losses_cls_loc[globalStep].map(Math.fround);
    const total = Math.fround(cls + loc);
    return {
      epoch,
      step: globalStep % stepsPerEpoch,
      stepsPerEpoch,
      globalStep,
      lr: rates.at(epoch),
      groupLrs: RATES.groups.map((initial) => rates.groupLr(epoch, initial)),
      losses: { cls, loc, total },
      batchTime: batch - start,
      dataTime: data - start,
      ...(total <= MOST_LOSS ? {} : { skipped: "the loss is out of range" }),
    };
  });
}

/** The lines of both trainers that must be equal. */
export interface ComparableLines {
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
}

/** Compares the lines of the steps. */
export function checkMessages(name: string, scenario: LogScenario): Check {
  const { ours, theirs } = comparableLines(scenario);
  return checkEqual(name, ours, theirs);
}

/** The lines of all steps, without what differs on purpose. */
export function comparableLines(scenario: LogScenario): ComparableLines {
  const { EPOCH: epochs, PRINT_FREQ: printEvery, lines } = scenario;
  const golden = lines.map(({ message }) => message).filter((line) => OF_STEP.test(line));
  const ours: string[] = [], theirs: string[] = [];
  let previous: MeteredStep | undefined;
  let anySkipped = false;
  for (const [i, report] of reportsOf(scenario).entries()) {
    previous = meterStep(report, { previous, epochs });
    anySkipped ||= report.skipped !== undefined;
    const kept = (messages: readonly string[]) =>
      messages.filter((line) => OF_STEP.test(line) && isComparable(line, i, scenario))
        .map((line) => normalised(line, { hideAverages: anySkipped }));
    ours.push(...kept(stepMessages(previous, { printEvery })));
    theirs.push(...kept(golden.splice(0, publishedCount(i, scenario))));
  }
  return { ours, theirs: [...theirs, ...golden] };
}

/** Rates, losses and progress; not the tree of the model. */
const OF_STEP = /^(epoch:? |Epoch: |Progress: )/;

/** In the first step of a later epoch the published trainer prints the losses, or not, by chance. */
function isComparable(line: string, step: number, scenario: LogScenario): boolean {
  return !isLaterEpochStart(step, scenario) || line.startsWith("epoch");
}

function isLaterEpochStart(step: number, { num_per_epoch }: LogScenario): boolean {
  return step > 0 && step % num_per_epoch === 0;
}

/** How many lines the published trainer prints in a step. */
function publishedCount(step: number, scenario: LogScenario): number {
  const starts = isLaterEpochStart(step, scenario);
  // There the loop index is overwritten by the number of the last parameter group.
  const index = starts ? RATES.groups.length - 1 : step;
  const announced = starts ? 1 + RATES.groups.length : 0;
  return announced + ((index + 1) % scenario.PRINT_FREQ === 0 ? 2 : 0);
}

/**
 * A line without the digits that may differ: the last ones of a rate; and averages of losses once a
 * step is skipped, for such a loss stays in those of the published trainer.
 */
function normalised(line: string, { hideAverages }: { readonly hideAverages: boolean }): string {
  const rounded = line.replace(/(?<= lr )[\d.e-]+$/, (rate) => Number(rate).toPrecision(12));
  return hideAverages ? rounded.replace(/(_loss: \S+ )\([^)]*\)/g, "$1(…)") : rounded;
}

/** Compares what goes to TensorBoard. */
export function checkScalars(name: string, scenario: LogScenario): Check {
  const found = reportsOf(scenario).flatMap((report) => scalarsOf(report));
  const { scalars } = scenario;
  const count = Math.abs(found.length - scalars.length);
  return worstOf(name, [
    { item: "number of scalars", error: count, tolerance: 0 },
    ...scalars.map(([tag, value, step], i): Deviation => {
      const item = `${tag} of step ${step}`;
      if (found[i]?.tag !== tag || found[i].step !== step) {
        const other = found[i] ? `${found[i].tag} of step ${found[i].step}` : "nothing";
        return { item: `${item}: found ${other}`, error: Infinity, tolerance: 0 };
      }
      const { most } = differenceOf([found[i].value], [value]);
      const tolerance = Number.isFinite(value) ? 1e-9 * Math.abs(value) : 0;
      return { item, error: most, tolerance };
    }),
  ]);
}
