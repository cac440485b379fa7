import { buildLrSpace } from "../../src/training/schedule.ts";
import type { StepReport } from "../../src/training/report.ts";
import golden from "../fixtures/log/log.json" with { type: "json" };

type Loose = number | string; // JSON has no NaN: it is written as text

/** What the published trainer printed and wrote, with the numbers behind it. */
export const { print_speed: progressCases, average_meter: averageCases } = golden;

/** A scripted training: its reports, and the messages and scalars of the published trainer. */
export interface Scenario {
  readonly epochs: number;
  readonly printEvery: number;
  readonly reports: readonly StepReport[];
  /** Those of the steps only: no model tree, no announcements. */
  readonly messages: readonly string[];
  readonly scalars: readonly (readonly [tag: string, value: number, step: number])[];
}

/** Reads a scenario of the golden log. */
export function scenario(name: string): Scenario {
  const found = golden.scenarios.find((scenario) => scenario.name === name);
  if (!found) throw new Error(`No scenario is named ${name}`);
  const isOfStep = /^(epoch:? |Epoch: |Progress: )/;
  return {
    epochs: found.EPOCH,
    printEvery: found.PRINT_FREQ,
    reports: Array.from({ length: found.iterations_seen }, (_, i) => reportAt(found, i)),
    messages: found.lines.map(({ message }) => message).filter((line) => isOfStep.test(line)),
    scalars: (found.scalars as [string, Loose, number][]).map(
      ([tag, value, step]) => [tag, Number(value), step] as const,
    ),
  };
}

function reportAt(found: typeof golden.scenarios[number], globalStep: number): StepReport {
  const stepsPerEpoch = found.num_per_epoch;
  const epoch = Math.floor(globalStep / stepsPerEpoch);
  const rates = buildLrSpace({
    epochs: found.EPOCH,
    lr: { type: "log", startLr: 0.005, endLr: 0.00005 },
    warmup: { type: "step", epoch: found.lr_warmup_epochs, startLr: 0.001, endLr: 0.005, step: 1 },
  });
  const [start, data, batch] = found.clock.slice(globalStep * 3);
  const [cls, loc] = (found.losses_cls_loc as Loose[][])[globalStep].map((x) => Math.fround(+x));
  return {
    epoch,
    step: globalStep % stepsPerEpoch,
    stepsPerEpoch,
    globalStep,
    lr: rates.at(epoch),
    groupLrs: [0.0005, 0.005, 0.005].map((initial) => rates.groupLr(epoch, initial)),
    losses: { cls, loc, total: Math.fround(cls + loc) },
    batchTime: batch - start,
    dataTime: data - start,
  };
}
