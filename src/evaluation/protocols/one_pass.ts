import type { Ltwh } from "../../geometry/boxes.ts";
import { type Convention, opeRules } from "../conventions.ts";
import { meanOverlap, successRate } from "../got10k.ts";
import { type JudgedFrames, judgeFrames, precisionCurve, successCurve } from "../ope.ts";
import type { OpeRules } from "../ope_rules.ts";
import { enclosingBox } from "../region.ts";
import type { RawResult } from "../results.ts";
import { type Sequence, trueBoxes } from "../sequence.ts";
import type { Trajectory } from "../trajectory.ts";
import {
  type Curve,
  groupByAttribute,
  type Measure,
  type Protocol,
  type Rules,
  type Scored,
  type SequenceResult,
  type Totals,
  type Values,
} from "./protocol.ts";

/** Judged frames of each repetition on a sequence, with their curves. */
export interface OnePassDetails {
  readonly runs: readonly JudgedFrames[];
  readonly figures: Figures;
  readonly frames: number;
}

interface Figures {
  readonly success: Float64Array;
  readonly precision: Float64Array;
  readonly normalised: Float64Array;
  readonly ao: number;
  readonly sr50: number;
  readonly sr75: number;
}

const measures: readonly Measure[] = [
  { key: "success_auc", title: "Success", better: "higher", digits: 3 },
  { key: "precision_20px", title: "Precision", better: "higher", digits: 3 },
  { key: "norm_precision", title: "Norm. prec.", better: "higher", digits: 3 },
  { key: "ao", title: "AO", better: "higher", digits: 3 },
  { key: "sr_0.5", title: "SR 0.5", better: "higher", digits: 3 },
  { key: "sr_0.75", title: "SR 0.75", better: "higher", digits: 3 },
];

/** Success, precision, average overlap: the tracker starts once. */
export const onePass: Protocol<OnePassDetails> = {
  measures,
  sequenceMeasures: measures,
  attributeMeasures: measures,
  knows: (_: Convention) => true,

  scoreSequence(sequence: Sequence, { runs }: RawResult, rules: Rules) {
    const ope = opeRules(rules.convention, rules.benchmark);
    const truth = { ...sequence, boxes: trueBoxes(sequence) };
    const judged = runs.map((run) => {
      const boxes = boxesOf(run, truth.boxes[0]);
      return judgeFrames(boxes, { ...truth, boxes: truth.boxes.slice(0, boxes.length) }, ope);
    });
    const figures = meanFigures(judged.map((run) => ({ of: figuresOf(run, ope), weight: 1 })));
    const details = { runs: judged, figures, frames: sequence.truth.length };
    return { values: valuesOf(figures, ope), details } satisfies SequenceResult<OnePassDetails>;
  },

  combine(scored: readonly Scored<OnePassDetails>[], rules: Rules): Totals {
    const ope = opeRules(rules.convention, rules.benchmark);
    const figures = overall(scored, ope);
    return {
      values: valuesOf(figures, ope),
      sequences: Object.fromEntries(scored.map(({ sequence, values }) => [sequence.name, values])),
      attributes: Object.fromEntries(
        groupByAttribute(scored).map(([name, part]) => [name, valuesOf(overall(part, ope), ope)]),
      ),
      curves: curvesOf(figures, ope),
    };
  },
};

/** The first frame may be a mark in place of the given box. */
function boxesOf(run: Trajectory, first: Ltwh | null): Ltwh[] {
  return Array.from(
    run,
    (answer) =>
      typeof answer === "number" ? first ?? { x: 0, y: 0, w: 0, h: 0 } : enclosingBox(answer),
  );
}

function figuresOf(judged: JudgedFrames, rules: OpeRules): Figures {
  const { overlap, centre, normalised, denominator } = judged;
  return {
    success: successCurve(judged, rules),
    precision: precisionCurve(centre, rules.precisionThresholds, denominator),
    normalised: precisionCurve(normalised, rules.normalisedThresholds, denominator),
    ao: meanOverlap(overlap),
    sr50: successRate(overlap, 0.5),
    sr75: successRate(overlap, 0.75),
  };
}

function overall(scored: readonly Scored<OnePassDetails>[], rules: OpeRules): Figures {
  if (rules.average === "frames") {
    return figuresOf(joinFrames(scored.flatMap(({ details }) => details.runs)), rules);
  }
  return meanFigures(scored.map(({ details }) => ({
    of: details.figures,
    weight: rules.average === "lengths" ? details.frames : 1,
  })));
}

function joinFrames(runs: readonly JudgedFrames[]): JudgedFrames {
  const join = (pick: (run: JudgedFrames) => Float64Array) =>
    Float64Array.from(runs.flatMap((run) => [...pick(run)]));
  return {
    overlap: join((run) => run.overlap),
    centre: join((run) => run.centre),
    normalised: join((run) => run.normalised),
    denominator: runs[0].denominator,
  };
}

/** Weighted means; a sequence without a value, because none of its frames counts, is left out. */
function meanFigures(parts: readonly { of: Figures; weight: number }[]): Figures {
  const mean = (valueOf: (figures: Figures) => number) => {
    let sum = 0, weights = 0;
    for (const { of, weight } of parts) {
      const value = valueOf(of);
      if (Number.isNaN(value)) continue;
      sum += value * weight;
      weights += weight;
    }
    return sum / weights;
  };
  const curve = (pick: (figures: Figures) => Float64Array) =>
    pick(parts[0].of).map((_, i) => mean((figures) => pick(figures)[i]));
  return {
    success: curve((figures) => figures.success),
    precision: curve((figures) => figures.precision),
    normalised: curve((figures) => figures.normalised),
    ao: mean((figures) => figures.ao),
    sr50: mean((figures) => figures.sr50),
    sr75: mean((figures) => figures.sr75),
  };
}

/** Threshold of the published precision (20 pixels), and of the normalised one (0.2), as an index. */
const FIGURE_AT = 20;

function valuesOf(figures: Figures, rules: OpeRules): Values {
  const { success, precision, normalised, ao, sr50, sr75 } = figures;
  return {
    success_auc: meanOf(success),
    precision_20px: precision[FIGURE_AT],
    norm_precision: rules.normalisedFigure === "mean" ? meanOf(normalised) : normalised[FIGURE_AT],
    ao,
    "sr_0.5": sr50,
    "sr_0.75": sr75,
  };
}

function meanOf(curve: Float64Array): number {
  return curve.reduce((sum, y) => sum + y, 0) / curve.length;
}

function curvesOf(
  { success, precision, normalised }: Figures,
  rules: OpeRules,
): Record<string, Curve> {
  return {
    success: {
      title: "Success",
      xLabel: "Overlap threshold",
      yLabel: "Share of frames",
      x: rules.successThresholds,
      y: [...success],
    },
    precision: {
      title: "Precision",
      xLabel: "Distance of centres (pixels)",
      yLabel: "Share of frames",
      x: rules.precisionThresholds,
      y: [...precision],
    },
    norm_precision: {
      title: "Normalised precision",
      xLabel: "Distance of centres (target sizes)",
      yLabel: "Share of frames",
      x: rules.normalisedThresholds,
      y: [...normalised],
    },
  };
}
