import {
  accuracyRobustness,
  failureFrames,
  meanOverRepetitions,
  nanMean,
  nanSum,
  type RestartTotals,
  withoutBurnIn,
} from "../ar.ts";
import type { Convention, RestartRules } from "../conventions.ts";
import {
  cutAtFailures,
  cutAtRestarts,
  expectedAverageOverlap,
  expectedOverlapCurves,
  type Segment,
} from "../eao.ts";
import { pictureBounds } from "../region.ts";
import type { RawResult } from "../results.ts";
import type { Sequence } from "../sequence.ts";
import type { Trajectory } from "../trajectory.ts";
import { votOverlapsWithin } from "../vot_overlap.ts";
import type { Measure, Protocol, Rules, Scored, SequenceResult, Totals } from "./protocol.ts";

/** What a sequence adds to the overall figures. */
export interface RestartDetails extends RestartTotals {
  /** Segments of each repetition. */
  readonly segments: readonly (readonly Segment[])[];
}

const accuracy: Measure = { key: "accuracy", title: "Accuracy", better: "higher", digits: 3 };
const lost: Measure = { key: "lost_number", title: "Lost number", better: "lower", digits: 1 };
const eao: Measure = { key: "eao", title: "EAO", better: "higher", digits: 3 };
const robustness: Measure = { key: "robustness", title: "Robustness", better: "lower", digits: 3 };

/** The tag that marks all frames, and the one for frames that no other marks. */
const ALL = "all", EMPTY = "empty";

/** Accuracy, robustness, expected average overlap: a tracker that fails is started again (VOT). */
export const restart: Protocol<RestartDetails> = {
  measures: [eao, accuracy, robustness, lost],
  sequenceMeasures: [accuracy, lost],
  attributeMeasures: [eao],
  knows: ({ restart }: Convention) => restart !== undefined,

  scoreSequence(sequence: Sequence, { runs }: RawResult, { convention }: Rules) {
    const rules = rulesOf(convention);
    const scores = runs.map((run) => scoreRun(run, sequence, rules));
    const overlaps = meanOverRepetitions(scores.map(({ counted }) => counted));
    const accuracy = rules.missingAccuracy === "zero"
      ? nanMean(scores.map(({ counted }) => nanMean(counted) || 0))
      : nanMean(overlaps);
    const details = {
      overlaps,
      accuracy,
      lost: nanMean(runs.map((run) => failureFrames(run).length)),
      frames: overlaps.length,
      segments: scores.map(({ segments }) => segments),
    };
    const { count: valid } = nanSum(overlaps);
    return {
      values: { accuracy, lost_number: details.lost, frames: details.frames, valid_frames: valid },
      details,
    } satisfies SequenceResult<RestartDetails>;
  },

  combine(scored: readonly Scored<RestartDetails>[], { convention, eao: range }: Rules): Totals {
    const rules = rulesOf(convention);
    const parts = scored.map(({ details }) => details);
    const { accuracy, robustness, lost, frames } = accuracyRobustness(parts, rules.weighting);
    const tags = tagsOf(scored);
    const [all, ...byTag] = curvesByTag(scored, [ALL, ...tags], rules);
    const eaoOf = (curve: Float32Array) =>
      range ? expectedAverageOverlap(curve, range, rules.firstLength) : NaN;
    return {
      values: { eao: eaoOf(all), accuracy, robustness, lost_number: lost, total_frames: frames },
      sequences: Object.fromEntries(scored.map(({ sequence, values }) => [sequence.name, values])),
      attributes: Object.fromEntries(tags.map((tag, k) => [tag, { eao: eaoOf(byTag[k]) }])),
      curves: {
        expected_overlap: {
          title: "Expected overlap",
          xLabel: "Length of sequence (frames)",
          yLabel: "Expected average overlap",
          x: [...all.keys()].map((i) => i + rules.firstLength),
          y: [...all],
        },
      },
    };
  },
};

function rulesOf({ name, restart }: Convention): RestartRules {
  if (restart) return restart;
  throw new RangeError(
    `Cannot score restarts: convention "${name}" has no rules for them, use pysot or vot`,
  );
}

function scoreRun(run: Trajectory, sequence: Sequence, rules: RestartRules) {
  const { name, truth, size } = sequence;
  if (!size) {
    throw new RangeError(
      `Cannot bound the overlap on "${name}": the size of its pictures is not known, ` +
        `give width and height in the annotations or put the pictures where they say`,
    );
  }
  const { accuracy, eao } = rules.boundsInset;
  const bounds = [pictureBounds(size, accuracy), pictureBounds(size, eao)];
  const [overlaps, narrow] = votOverlapsWithin(run, truth, bounds);
  const segments = rules.segments === "at restarts"
    ? cutAtRestarts(narrow, run, truth.length)
    : cutAtFailures(narrow, run);
  return { counted: withoutBurnIn(overlaps, run), segments };
}

/** Expected overlap of the frames with each tag: a segment weighs by its share of them. */
function curvesByTag(
  scored: readonly Scored<RestartDetails>[],
  tags: readonly string[],
  rules: RestartRules,
): Float32Array[] {
  const segments = scored.flatMap(({ details }) => details.segments.flat());
  const weightings = tags.map((tag) =>
    scored.flatMap(({ sequence, details }) => {
      const countTagged = tagCounter(sequence, tag, rules);
      const repetitions = details.segments.length;
      return details.segments.flat().map((segment) =>
        segment.from === segment.to ? 0 : countTagged(segment) / segment.divisor / repetitions
      );
    })
  );
  const longest = Math.max(...scored.map(({ details }) => details.frames));
  return expectedOverlapCurves(
    segments,
    weightings,
    rules.segments === "at restarts" ? longest : 0,
  );
}

function tagCounter(
  { tags = {}, truth }: Sequence,
  tag: string,
  { emptyTag }: RestartRules,
): (segment: Segment) => number {
  if (tag === ALL) return ({ from, to }) => to - from;
  const lists = Object.values(tags).filter((list) => list.length > 0);
  if (tag !== EMPTY) return ({ from, to }) => countMarked(tags[tag] ?? [], from, to);
  if (emptyTag === "unused tags") {
    const unused = lists.filter((list) => !list.some((mark) => mark > 0)).length;
    return () => unused;
  }
  const untagged = truth.map((_, i) => lists.some((list) => list[i] > 0) ? 0 : 1);
  return ({ from, to }) => countMarked(untagged, from, to);
}

function countMarked(marks: readonly number[], from: number, to: number): number {
  let count = 0;
  for (let i = from; i < to; i++) count += marks[i] ?? 0;
  return count;
}

/** Tags that some sequence has, between `all` and `empty`; none where no sequence has any. */
function tagsOf(scored: readonly Scored<RestartDetails>[]): string[] {
  const names = new Set(scored.flatMap(({ sequence }) => Object.keys(sequence.tags ?? {})));
  return names.size === 0 ? [] : [ALL, ...names, EMPTY];
}
