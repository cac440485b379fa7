import { nanMean } from "../ar.ts";
import type { Convention, LongTermRules } from "../conventions.ts";
import {
  bestF,
  confidenceThresholds,
  fScores,
  type LongTermFrames,
  meanPrecisionRecall,
  type PrecisionRecall,
  precisionRecall,
} from "../f1.ts";
import { pictureBounds } from "../region.ts";
import type { RawResult } from "../results.ts";
import type { Sequence } from "../sequence.ts";
import { votOverlaps } from "../vot_overlap.ts";
import {
  groupByAttribute,
  type Measure,
  type Protocol,
  type Rules,
  type Scored,
  type Totals,
  type Values,
} from "./protocol.ts";

/** Frames of each repetition. */
export interface LongTermDetails {
  readonly runs: readonly LongTermFrames[];
}

const measures: readonly Measure[] = [
  { key: "f1", title: "F1", better: "higher", digits: 3 },
  { key: "precision", title: "Precision", better: "higher", digits: 3 },
  { key: "recall", title: "Recall", better: "higher", digits: 3 },
];

/** Precision, recall and F: the target may leave and the tracker says how sure it is (VOT-LT). */
export const longTerm: Protocol<LongTermDetails> = {
  measures,
  sequenceMeasures: measures,
  attributeMeasures: measures,
  knows: ({ longTerm }: Convention) => longTerm !== undefined,

  scoreSequence(sequence: Sequence, result: RawResult, { convention }: Rules) {
    const rules = rulesOf(convention);
    const { truth, size, name } = sequence;
    if (!size) {
      throw new RangeError(
        `Cannot bound the overlap on "${name}": the size of its pictures is not known`,
      );
    }
    const visibleFrames = truth.filter((region) => region !== null).length;
    const runs = result.runs.map((run, k) => {
      const overlaps = votOverlaps(run, truth, pictureBounds(size));
      overlaps.forEach((_, i) => {
        if (truth[i] === null && run.markAt(i) !== undefined) overlaps[i] = rules.bothAbsent;
      });
      return { overlaps, confidences: result.confidences![k], visibleFrames };
    });
    // Thresholds come from all sequences, so that the figures proper are given by combine().
    return { values: { mean_overlap: nanMean(runs[0].overlaps) }, details: { runs } };
  },

  combine(scored: readonly Scored<LongTermDetails>[], { convention }: Rules): Totals {
    const rules = rulesOf(convention);
    const curves = curvesBySequence(scored, rules);
    const mean = meanPrecisionRecall([...curves.values()]);
    const part = (sequences: readonly Scored<LongTermDetails>[]) =>
      valuesOf(meanPrecisionRecall(sequences.map(({ sequence }) => curves.get(sequence.name)!)));
    return {
      values: valuesOf(mean),
      sequences: Object.fromEntries([...curves].map(([name, curve]) => [name, valuesOf(curve)])),
      attributes: Object.fromEntries(
        groupByAttribute(scored).map(([name, sequences]) => [name, part(sequences)]),
      ),
      curves: {
        precision_recall: {
          title: "Precision and recall",
          xLabel: "Recall",
          yLabel: "Precision",
          x: [...mean.recall],
          y: [...mean.precision],
        },
        f1: {
          title: "F by threshold",
          xLabel: "Threshold (highest confidence first)",
          yLabel: "F",
          x: [...mean.precision.keys()],
          y: [...fScores(mean)],
        },
      },
    };
  },
};

function rulesOf({ name, longTerm }: Convention): LongTermRules {
  if (longTerm) return longTerm;
  throw new RangeError(
    `Cannot score long-term results: convention "${name}" has no rules for them, use pysot or vot`,
  );
}

function curvesBySequence(
  scored: readonly Scored<LongTermDetails>[],
  { spacing, lowest }: LongTermRules,
): Map<string, PrecisionRecall> {
  const confidences = scored.flatMap(({ details }) =>
    details.runs.flatMap(({ confidences }) => [...confidences])
  );
  // From the highest, so that of equally good thresholds the surest is taken.
  const thresholds = confidenceThresholds(confidences, { spacing }).reverse();
  return new Map(scored.map(({ sequence, details }) => [
    sequence.name,
    meanPrecisionRecall(details.runs.map((run) => precisionRecall(run, thresholds, lowest))),
  ]));
}

function valuesOf(curve: PrecisionRecall): Values {
  const { precision, recall, f1 } = bestF(curve);
  return { f1, precision, recall };
}
