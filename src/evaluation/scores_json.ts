import type { Values } from "./protocols/mod.ts";
import type { BenchmarkScores, TrackerScore } from "./score.ts";

/** Scores as plain data; figures that do not exist are null once written. */
export interface ScoresJson {
  readonly benchmark: string;
  /** Convention of the figures that stand beside it; the first where there are several. */
  readonly convention: string;
  readonly trackers: Readonly<Record<string, TrackerJson>>;
  /** Figures of all conventions, where there are several. */
  readonly conventions?: Readonly<Record<string, Readonly<Record<string, TrackerJson>>>>;
  readonly problems: readonly { tracker: string; sequence: string; reason: string }[];
  /** Sequences of the benchmark that cannot be used, and so count for nobody. */
  readonly missing: readonly { readonly name: string; readonly reason: string }[];
  /** Results that belong to no sequence, by tracker. */
  readonly ignored: Readonly<Record<string, readonly string[]>>;
}

/** A tracker's figures (`accuracy`, `eao`, `success_auc`, …) with those of its parts. */
export type TrackerJson = Values & {
  readonly sequences_scored: number;
  readonly sequences_expected: number;
  readonly per_attribute: Readonly<Record<string, Values>>;
  readonly per_sequence: Readonly<Record<string, Values>>;
};

/**
 * Scores as plain data, for other programs.
 *
 * @param missing Sequences that `readBenchmark` could not use.
 */
export function toScoresJson(
  { benchmark, expected, scores, problems, extras }: BenchmarkScores,
  missing: ScoresJson["missing"] = [],
): ScoresJson {
  const names = [...new Set(scores.map(({ convention }) => convention))];
  const byConvention = Object.fromEntries(names.map((name) => [
    name,
    Object.fromEntries(
      scores.filter(({ convention }) => convention === name)
        .map((score) => [score.tracker, toTrackerJson(score, expected)]),
    ),
  ]));
  return {
    benchmark: benchmark.name,
    convention: names[0],
    trackers: byConvention[names[0]],
    ...names.length > 1 ? { conventions: byConvention } : {},
    problems: problems.map(({ tracker, sequence, reason }) => ({ tracker, sequence, reason })),
    missing,
    ignored: Object.fromEntries(extras.map(({ tracker, names }) => [tracker, names])),
  };
}

function toTrackerJson(score: TrackerScore, expected: number): TrackerJson {
  return {
    ...score.values,
    sequences_scored: score.scored,
    sequences_expected: expected,
    per_attribute: score.attributes,
    per_sequence: score.sequences,
  } as TrackerJson;
}
