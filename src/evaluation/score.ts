import type { Benchmark } from "./benchmarks/mod.ts";
import type { Convention, ConventionName } from "./conventions.ts";
import { PROTOCOLS, type Scored, type Totals, type Values } from "./protocols/mod.ts";
import { type LengthRule, type RawResult, ResultError, type TrackerResults } from "./results.ts";
import { isTruthHidden, seenIn, type Sequence } from "./sequence.ts";

/** What is scored, and how. */
export interface ScoreOptions {
  readonly benchmark: Benchmark;
  readonly sequences: readonly Sequence[];
  readonly trackers: readonly TrackerResults[];
  /** Every result is read once and judged under each of them. */
  readonly conventions: readonly Convention[];
  /** `shortest`: results of another length than the truth count as far as both go. */
  readonly lengths?: Exclude<LengthRule, "any">;
}

/** A tracker's score on a sequence under a convention. */
export interface SequenceScore extends Scored<unknown> {
  readonly kind: "score";
  readonly tracker: string;
  readonly convention: ConventionName;
}

/** A result that could not be scored. */
export interface ScoreProblem {
  readonly kind: "problem";
  readonly tracker: string;
  readonly sequence: string;
  readonly reason: string;
}

/** What comes out of scoring, one result at a time. */
export type ScoreEvent = SequenceScore | ScoreProblem;

/**
 * Scores trackers, sequence by sequence. A result that is missing, malformed or of the wrong length
 * becomes a {@linkcode ScoreProblem} and has no score.
 *
 * @throws {RangeError} If there is no sequence, the truth is not public, or a convention has no
 * rules for the benchmark's protocol.
 */
export async function* scoreTrackers(options: ScoreOptions): AsyncGenerator<ScoreEvent> {
  checkScorable(options);
  const { benchmark, sequences, trackers, conventions, lengths } = options;
  for (const tracker of trackers) {
    for (const sequence of sequences) {
      try {
        const result = tracker.read(sequence, benchmark.protocol, { lengths });
        const scores = conventions.map((convention) =>
          scoreSequence(benchmark, sequence, { result, convention })
        );
        for (const score of scores) yield { kind: "score", tracker: tracker.name, ...score };
      } catch (error) {
        if (!(error instanceof ResultError || error instanceof RangeError)) throw error;
        const { message: reason } = error;
        yield { kind: "problem", tracker: tracker.name, sequence: sequence.name, reason };
      }
    }
  }
}

function checkScorable({ benchmark, sequences, conventions }: ScoreOptions): void {
  if (sequences.length === 0) {
    throw new RangeError(`Cannot score ${benchmark.name}: no sequence was found`);
  }
  const hidden = sequences.find(isTruthHidden);
  if (hidden) {
    throw new RangeError(
      `Cannot score ${benchmark.name}: the truth of "${hidden.name}" is but its first box, ` +
        `write a submission for the benchmark's server instead`,
    );
  }
  for (const convention of conventions) {
    if (PROTOCOLS[benchmark.protocol].knows(convention)) continue;
    throw new RangeError(
      `Cannot score ${benchmark.name} by "${convention.name}": that toolkit has no rules for it`,
    );
  }
}

function scoreSequence(
  benchmark: Benchmark,
  sequence: Sequence,
  { result, convention }: { result: RawResult; convention: Convention },
) {
  const rules = { benchmark: benchmark.name, convention, eao: benchmark.eao };
  const seen = seenIn(sequence, result.runs[0].length);
  const score = PROTOCOLS[benchmark.protocol].scoreSequence(seen, result, rules);
  return { convention: convention.name, sequence, ...score };
}

/** A tracker's scores on a benchmark under a convention. */
export interface TrackerScore extends Totals {
  readonly tracker: string;
  readonly convention: ConventionName;
  /** Sequences that the figures are made from. */
  readonly scored: number;
}

/** Scores of all trackers, the best first, with the results that could not be scored. */
export interface BenchmarkScores {
  readonly benchmark: Benchmark;
  /** Sequences of the benchmark that were asked for. */
  readonly expected: number;
  readonly scores: readonly TrackerScore[];
  readonly problems: readonly ScoreProblem[];
  readonly extras: readonly ExtraResults[];
}

/** Results that belong to no sequence that was asked for. */
export interface ExtraResults {
  readonly tracker: string;
  /** Of files and folders. */
  readonly names: readonly string[];
}

/**
 * Gathers the scores of {@linkcode scoreTrackers}. A tracker with problems is scored on the
 * sequences it has (see {@linkcode TrackerScore.scored}), one without any score has no figures.
 */
export async function gatherScores(
  events: AsyncIterable<ScoreEvent>,
  { benchmark, sequences, trackers, conventions }: ScoreOptions,
): Promise<BenchmarkScores> {
  const problems: ScoreProblem[] = [];
  const scored = new Map<string, SequenceScore[]>();
  const keyOf = (tracker: string, convention: string) => `${convention} ${tracker}`;
  for await (const event of events) {
    if (event.kind === "problem") problems.push(event);
    else {
      const key = keyOf(event.tracker, event.convention);
      const list = scored.get(key);
      if (list) list.push(event);
      else scored.set(key, [event]);
    }
  }
  const scores = conventions.flatMap((convention) =>
    trackers.map(({ name }) => {
      const list = scored.get(keyOf(name, convention.name)) ?? [];
      return totalOf(list, { benchmark, tracker: name, convention });
    })
  );
  const extras = trackers.map((tracker) => ({
    tracker: tracker.name,
    names: tracker.extras(sequences, benchmark.protocol),
  })).filter(({ names }) => names.length > 0);
  return rankScores({ benchmark, expected: sequences.length, scores, problems, extras });
}

/** Scores by convention, the best tracker first; problems by tracker. */
export function rankScores(unranked: BenchmarkScores): BenchmarkScores {
  const byConvention = Map.groupBy(unranked.scores, ({ convention }) => convention);
  const scores = [...byConvention.values()].flatMap((list) =>
    list.toSorted(byRank(unranked.benchmark))
  );
  const problems = unranked.problems.toSorted((a, b) => compare(a.tracker, b.tracker));
  return { ...unranked, scores, problems };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const NOTHING: Totals = { values: {}, sequences: {}, attributes: {}, curves: {} };

function totalOf(
  scored: readonly SequenceScore[],
  { benchmark, tracker, convention }: {
    benchmark: Benchmark;
    tracker: string;
    convention: Convention;
  },
): TrackerScore {
  const rules = { benchmark: benchmark.name, convention, eao: benchmark.eao };
  const totals = scored.length > 0 ? PROTOCOLS[benchmark.protocol].combine(scored, rules) : NOTHING;
  return { tracker, convention: convention.name, scored: scored.length, ...totals };
}

function byRank({ protocol }: Benchmark) {
  const [{ key, better }] = PROTOCOLS[protocol].measures;
  const rank = (values: Values) => {
    const value = values[key] ?? NaN;
    return Number.isNaN(value) ? -Infinity : better === "higher" ? value : -value;
  };
  return (a: TrackerScore, b: TrackerScore) =>
    rank(b.values) - rank(a.values) || compare(a.tracker, b.tracker);
}
