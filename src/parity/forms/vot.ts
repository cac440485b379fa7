/** The VOT measures: overlap of painted regions, and runs that are started again after a failure. */
import { z } from "zod";
import {
  BURN_IN,
  CONVENTIONS,
  type EaoRange,
  expectedOverlapCurve,
  failureFrames,
  nanMean,
  pictureBounds,
  PROTOCOLS,
  type Sequence,
  toRegion,
  type Trajectory,
  votOverlap,
  votOverlaps,
  withoutBurnIn,
} from "../../evaluation/mod.ts";
import { formatFixed } from "../../training/report_lines.ts";
import { type Check, checkEqual, type Deviation, worstOf } from "../check.ts";
import { arrayDeviation } from "../compare.ts";
import { attempt, defineForm, type Finding, real, reals, worstIfAny } from "../form.ts";
import { toSequence, toTrajectory, votSequence } from "./vot_sequence.ts";

/** Overlaps are 32-bit floats, and so is the curve of expected ones. */
const TOLERANCE = 1e-6;

/** Frames left out after a start, in the order of `accuracy_burnin`. */
const BURN_INS = [0, 5, 10];

const deviation = (item: string, found: ArrayLike<number>, expected: ArrayLike<number>) =>
  arrayDeviation(item, found, { expected, tolerance: TOLERANCE });

const overlapCase = z.object({
  tag: z.string(),
  a: reals(),
  b: reals(),
  bounds: reals().nullable(),
  overlap: real(),
});
const textCase = z.object({ value: real(), text: z.string() });

/** Overlaps of single pairs of regions. */
export const votOverlapForm = defineForm({
  section: "eval",
  content: z.object({
    cases: z.array(overlapCase).min(1),
    float2str_4: z.array(textCase).optional(),
  }),
  async *compare({ content: { cases, float2str_4 } }) {
    for (const one of cases) {
      const name = `vot_overlap ${one.tag}`;
      yield* attempt(name, () => checkOverlap(name, one));
    }
    if (!float2str_4) return;
    const found = float2str_4.map(({ value }) => formatFixed(Math.fround(value), 4));
    yield checkEqual("float2str_4", found, float2str_4.map(({ text }) => text));
  },
});

function checkOverlap(name: string, { a, b, bounds, overlap }: z.infer<typeof overlapCase>): Check {
  // One number is a mark, which has no overlap.
  const [left, right] = [toRegion(a), toRegion(b)];
  const found = left && right ? votOverlap(left, right, boundsOf(bounds)) : NaN;
  return worstOf(name, [deviation(`[${a}] and [${b}]`, [found], [overlap])]);
}

function boundsOf(bounds: readonly number[] | null) {
  if (!bounds) return undefined;
  if (bounds.length === 2) return pictureBounds({ w: bounds[0], h: bounds[1] });
  // Parity: the published code reads four numbers as top, bottom, left, right.
  const [top, bottom, left, right] = bounds;
  return { top, bottom, left, right };
}

const statistics = z.object({
  sequences: z.array(votSequence.extend({ runs: z.array(z.array(reals())) })),
  eao: z.record(z.string(), z.object({ low: real(), high: real(), eao: real() })),
  overlaps: z.record(z.string(), reals()).default({}),
  failures: z.record(z.string(), reals()).default({}),
  calculate_failures: z.array(z.tuple([real(), reals()])).default([]),
  expected_overlap: z.object({
    fragments: z.array(reals()),
    weights: reals(),
    result_float32: reals(),
  }).optional(),
  /** For each sequence with each of {@linkcode BURN_INS}. */
  accuracy_burnin: reals().optional(),
});
type Statistics = z.infer<typeof statistics>;

/** A sequence with its runs, and the overlaps of the first one. */
interface TrackedSequence {
  readonly sequence: Sequence;
  readonly runs: readonly Trajectory[];
  readonly overlaps: Float64Array;
}

/** Accuracy, failures and expected average overlap. */
export const votStatisticsForm = defineForm({
  section: "eval",
  content: statistics,
  async *compare({ content }): AsyncGenerator<Finding> {
    const tracked = content.sequences.map((one): TrackedSequence => {
      const sequence = toSequence(one), runs = one.runs.map(toTrajectory);
      const overlaps = votOverlaps(runs[0], sequence.truth, pictureBounds(sequence.size!));
      return { sequence, runs, overlaps };
    });
    yield* checkOverlaps(tracked, content);
    yield* checkFailures(tracked, content);
    if (content.expected_overlap) yield checkCurve(content.expected_overlap);
    if (content.accuracy_burnin) yield checkAccuracy(tracked, content.accuracy_burnin);
    for (const [year, { eao, ...range }] of Object.entries(content.eao)) {
      const name = `vot_statistics EAO ${year}`;
      yield* attempt(name, () => {
        const found = expectedAverageOverlapOf(tracked, range);
        return worstOf(name, [deviation(`${range.low} to ${range.high} frames`, [found], [eao])]);
      });
    }
  },
});

function* checkOverlaps(tracked: readonly TrackedSequence[], { overlaps: golden }: Statistics) {
  const compared = tracked.filter(({ sequence }) => golden[sequence.name]);
  yield* worstIfAny(
    "vot_statistics overlaps",
    compared.map(({ sequence: { name }, runs: [run], overlaps }) =>
      deviation(name, withoutBurnIn(overlaps, run, BURN_IN), golden[name])
    ),
  );
}

function* checkFailures(
  tracked: readonly TrackedSequence[],
  { failures, calculate_failures }: Statistics,
): Generator<Check> {
  const deviations = tracked.flatMap(({ sequence: { name }, runs }, i): Deviation[] => {
    const frames = runs.map(failureFrames), counts = frames.map(({ length }) => length);
    const [, golden] = calculate_failures[i] ?? [];
    return [
      ...failures[name] ? [deviation(`number in ${name}`, counts, failures[name])] : [],
      ...golden ? [deviation(`frames of ${name}`, frames[0], golden)] : [],
    ];
  });
  yield* worstIfAny("vot_statistics failures", deviations);
}

function checkAccuracy(tracked: readonly TrackedSequence[], golden: readonly number[]): Check {
  const found = tracked.flatMap(({ runs: [run], overlaps }) =>
    BURN_INS.map((burnIn) => nanMean(withoutBurnIn(overlaps, run, burnIn)))
  );
  return worstOf("vot_statistics accuracy", [deviation(`burn-ins ${BURN_INS}`, found, golden)]);
}

function checkCurve(
  { fragments, weights, result_float32 }: NonNullable<Statistics["expected_overlap"]>,
): Check {
  const segments = fragments.map((row, i) => {
    const length = row.findLastIndex((overlap) => !Number.isNaN(overlap)) + 1;
    const overlaps = Float64Array.from(row.slice(0, length));
    return { overlaps, failed: false, weight: weights[i] };
  });
  return worstOf("vot_statistics expected overlap", [
    deviation(`${fragments.length} segments`, expectedOverlapCurve(segments), result_float32),
  ]);
}

function expectedAverageOverlapOf(tracked: readonly TrackedSequence[], eao: EaoRange): number {
  const rules = { benchmark: "VOT", convention: CONVENTIONS.pysot, eao };
  const scored = tracked.map(({ sequence, runs }) => ({
    sequence,
    ...PROTOCOLS.restart.scoreSequence(sequence, { runs }, rules),
  }));
  return PROTOCOLS.restart.combine(scored, rules).values.eao;
}
