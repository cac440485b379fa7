/** Success, precision and average overlap of trackers that start once. */
import { z } from "zod";
import {
  areaOverlap,
  boundedIou,
  centreError,
  CONVENTIONS,
  PROTOCOLS,
  type Rules,
  type Scored,
  type Sequence,
  Trajectory,
} from "../../evaluation/mod.ts";
import type { OnePassDetails } from "../../evaluation/protocols/one_pass.ts";
import type { Ltwh } from "../../geometry/boxes.ts";
import { type Check, worstOf } from "../check.ts";
import { arrayDeviation } from "../compare.ts";
import { attempt, defineForm, real, reals, worstIfAny } from "../form.ts";

const TOLERANCE = 1e-9;

type Four = readonly number[];
const toLtwh = ([x, y, w, h]: Four): Ltwh => ({ x, y, w, h });

const deviation = (item: string, found: ArrayLike<number>, expected: ArrayLike<number>) =>
  arrayDeviation(item, found, { expected, tolerance: TOLERANCE });

function score(sequence: Sequence, boxes: readonly Four[], rules: Rules): Scored<OnePassDetails> {
  const result = { runs: [Trajectory.of(boxes.map(toLtwh))] };
  return {
    sequence,
    ...PROTOCOLS.ope.scoreSequence(sequence, result, rules),
  } as Scored<OnePassDetails>;
}

const boxes = z.array(reals());
const curves = z.record(z.string(), z.record(z.string(), reals()));
const summary = z.object({
  success_auc: real(),
  precision_20px: real(),
  "norm_precision_0.2": real(),
});

/** Curves by tracker and sequence under the rules of the published toolkit. */
export const opeForm = defineForm({
  section: "eval",
  content: z.object({
    // Beside these a sequence has the boxes of each tracker under its name.
    sequences: z.array(z.looseObject({
      name: z.string(),
      gt: boxes,
      visible: reals().nullable().optional(),
    })),
    success: curves,
    precision: curves,
    norm_precision: curves,
    thresholds_success: reals().optional(),
    thresholds_precision: reals().optional(),
    thresholds_norm: reals().optional(),
    summary: z.record(z.string(), summary).default({}),
    overlap_ratio: z.object({ a: boxes, b: boxes, iou: reals() }).optional(),
  }),
  async *compare({ content }) {
    const rules: Rules = { benchmark: "OTB100", convention: CONVENTIONS.pysot };
    const { ope } = rules.convention;
    const thresholds = [
      ["success", ope.successThresholds, content.thresholds_success],
      ["precision", ope.precisionThresholds, content.thresholds_precision],
      ["normalised", ope.normalisedThresholds, content.thresholds_norm],
    ] as const;
    yield* worstIfAny(
      "ope thresholds",
      thresholds.flatMap(([name, found, expected]) =>
        expected ? [deviation(name, found, expected)] : []
      ),
    );
    for (const tracker of Object.keys(content.success)) {
      yield* attempt(`ope ${tracker}`, function* () {
        const scored = content.sequences.map((one) =>
          score(toSequence(one), boxes.parse(one[tracker]), rules)
        );
        const { success, precision, norm_precision } = content;
        for (const { sequence: { name }, details: { figures } } of scored) {
          yield worstOf(`ope ${tracker} ${name}`, [
            deviation("success", figures.success, success[tracker][name]),
            deviation("precision", figures.precision, precision[tracker][name]),
            deviation("normalised", figures.normalised, norm_precision[tracker][name]),
          ]);
        }
        const golden = content.summary[tracker];
        if (golden) yield checkSummary(`ope ${tracker} summary`, golden, { scored, rules });
      });
    }
    const { overlap_ratio } = content;
    if (!overlap_ratio) return;
    const { a, b, iou } = overlap_ratio;
    const found = a.map((box, i) => areaOverlap(toLtwh(box), toLtwh(b[i])));
    yield worstOf("ope overlap_ratio", [deviation(`${iou.length} pairs`, found, iou)]);
  },
});

function toSequence(
  { name, gt, visible }: {
    readonly name: string;
    readonly gt: readonly Four[];
    readonly visible?: readonly number[] | null;
  },
): Sequence {
  const truth = gt.map(toLtwh);
  const marks = visible && { visible: visible.map((mark) => mark > 0) };
  return { name, frames: [], truth, attributes: [], ...marks };
}

function checkSummary(
  name: string,
  golden: z.infer<typeof summary>,
  { scored, rules }: { readonly scored: readonly Scored<OnePassDetails>[]; readonly rules: Rules },
): Check {
  const { values } = PROTOCOLS.ope.combine(scored, rules);
  return worstOf(name, [
    deviation("success", [values.success_auc], [golden.success_auc]),
    deviation("precision", [values.precision_20px], [golden.precision_20px]),
    deviation("normalised", [values.norm_precision], [golden["norm_precision_0.2"]]),
  ]);
}

const got10kSequence = z.object({
  gt: boxes,
  pred: boxes,
  cover: reals(),
  bound: reals(),
  iou_frames_1_on: reals(),
  ao: real(),
  "sr_0.5": real(),
  iou_unbounded: reals().optional(),
  center_error: reals().optional(),
});
const got10kOverall = z.object({
  ao: real(),
  "sr_0.5": real(),
  "sr_0.75": real(),
  succ_curve_101: reals(),
});

/** Average overlap and success rates of GOT-10k. */
export const got10kForm = defineForm({
  section: "eval",
  content: z.object({ sequences: z.array(got10kSequence).min(1), overall: got10kOverall }),
  *compare({ content: { sequences, overall } }) {
    const rules: Rules = { benchmark: "GOT-10k", convention: CONVENTIONS.got10k };
    const scored: Scored<OnePassDetails>[] = [];
    for (const [i, golden] of sequences.entries()) {
      const { gt, pred, cover, bound: [w, h] } = golden;
      const truth = gt.map(toLtwh), found = pred.map(toLtwh);
      const name = `sequence ${i}`;
      const sequence = { name, frames: [], truth, attributes: [], size: { w, h }, cover };
      const one = score(sequence, pred, rules);
      scored.push(one);
      const iou = (bound?: { w: number; h: number }) =>
        found.map((box, k) => boundedIou(box, truth[k], bound));
      const errors = found.map((box, k) => centreError(box, truth[k]));
      yield worstOf(`got10k ${name}`, [
        deviation("overlaps", iou({ w, h }).slice(1), golden.iou_frames_1_on),
        deviation("AO", [one.values.ao], [golden.ao]),
        deviation("SR 0.5", [one.values["sr_0.5"]], [golden["sr_0.5"]]),
        ...golden.iou_unbounded ? [deviation("unbounded", iou(), golden.iou_unbounded)] : [],
        ...golden.center_error ? [deviation("distances", errors, golden.center_error)] : [],
      ]);
    }
    const { values, curves: { success } } = PROTOCOLS.ope.combine(scored, rules);
    yield worstOf("got10k overall", [
      deviation("AO", [values.ao], [overall.ao]),
      deviation("SR 0.5", [values["sr_0.5"]], [overall["sr_0.5"]]),
      deviation("SR 0.75", [values["sr_0.75"]], [overall["sr_0.75"]]),
      deviation("success", success.y, overall.succ_curve_101),
    ]);
  },
});
