/** Long-term tracking, where a tracker says how sure it is. */
import { z } from "zod";
import {
  bestF,
  confidenceThresholds,
  fScores,
  meanPrecisionRecall,
  pictureBounds,
  type PrecisionRecall,
  precisionRecall,
  type ThresholdSpacing,
  votOverlaps,
} from "../../evaluation/mod.ts";
import { worstOf } from "../check.ts";
import { arrayDeviation } from "../compare.ts";
import { defineForm, real, reals } from "../form.ts";
import { toSequence, toTrajectory, votSequence } from "./vot_sequence.ts";

const TOLERANCE = 1e-9;

const deviation = (item: string, found: ArrayLike<number>, expected: ArrayLike<number>) =>
  arrayDeviation(item, found, { expected, tolerance: TOLERANCE });

const curves = z.record(z.string(), reals());

/** Precision, recall and F by threshold. */
export const longTermForm = defineForm({
  section: "eval",
  content: z.object({
    sequences: z.array(votSequence.extend({ pred: z.array(reals()), confidence: reals() })),
    thresholds_ascending: reals(),
    resolution: real().default(100),
    precision: curves,
    recall: curves,
    f1: curves,
    best_index: real().optional(),
    best: z.object({ precision: real(), recall: real(), f1: real() }).optional(),
  }),
  *compare({ content }) {
    const { resolution, thresholds_ascending, best, best_index } = content;
    const confidences = content.sequences.flatMap(({ confidence }) => confidence);
    const thresholds = confidenceThresholds(confidences, { resolution });
    yield worstOf("f1 thresholds", [
      deviation(`${resolution}`, thresholds, thresholds_ascending),
    ]);
    // From the highest: of equally good thresholds the surest is taken.
    const descending = thresholds.slice().reverse();
    const found = content.sequences.map((one): [string, PrecisionRecall] => {
      const { truth, size, name } = toSequence(one);
      const overlaps = votOverlaps(toTrajectory(one.pred), truth, pictureBounds(size!));
      const visibleFrames = truth.filter((region) => region !== null).length;
      const frames = { overlaps, confidences: Float64Array.from(one.confidence), visibleFrames };
      return [name, precisionRecall(frames, descending)];
    });
    for (const [name, curve] of found) {
      yield worstOf(`f1 ${name}`, [
        deviation("precision", curve.precision, content.precision[name]),
        deviation("recall", curve.recall, content.recall[name]),
        deviation("F", fScores(curve), content.f1[name]),
      ]);
    }
    if (!best) return;
    const { index, ...figures } = bestF(meanPrecisionRecall(found.map(([, curve]) => curve)));
    yield worstOf("f1 best", [
      deviation("figures", [figures.precision, figures.recall, figures.f1], [
        best.precision,
        best.recall,
        best.f1,
      ]),
      deviation("index", [index], [best_index ?? index]),
    ]);
  },
});

/** The two ways of the published toolkit to place thresholds. */
const SPACINGS = {
  statistics_variant: "centred",
  misc_variant: "truncated",
} as const satisfies Record<string, ThresholdSpacing>;

/** Thresholds among confidences. */
export const thresholdsForm = defineForm({
  section: "eval",
  content: z.object({
    scores: reals(),
    statistics_variant: reals().optional(),
    misc_variant: reals().optional(),
  }).refine((content) => Object.keys(SPACINGS).some((name) => name in content)),
  *compare({ content }) {
    for (const [name, spacing] of Object.entries(SPACINGS)) {
      const expected = content[name as keyof typeof SPACINGS];
      if (!expected) continue;
      const found = confidenceThresholds(content.scores, { spacing, resolution: expected.length });
      yield worstOf(`thresholds ${name}`, [deviation(spacing, found, expected)]);
    }
  },
});
