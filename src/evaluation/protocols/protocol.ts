import type { Convention } from "../conventions.ts";
import type { EaoRange } from "../eao.ts";
import type { RawResult } from "../results.ts";
import type { Sequence } from "../sequence.ts";

/** Figures by the key of their measure. */
export type Values = Readonly<Record<string, number>>;

/** A figure that a protocol gives. */
export interface Measure {
  readonly key: string;
  /** Heading of its column. */
  readonly title: string;
  readonly better: "higher" | "lower";
  /** Digits after the point in tables. */
  readonly digits: number;
}

/** A line in a plot. */
export interface Curve {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** What decides how a result is judged. */
export interface Rules {
  readonly benchmark: string;
  readonly convention: Convention;
  /** Lengths that the expected average overlap is taken over (restart protocol). */
  readonly eao?: EaoRange;
}

/** A tracker's score on one sequence; `Details` is what the overall score is made from. */
export interface SequenceResult<Details> {
  readonly values: Values;
  readonly details: Details;
}

/** A tracker's score on a benchmark. */
export interface Totals {
  readonly values: Values;
  /** By name of sequence. */
  readonly sequences: Readonly<Record<string, Values>>;
  /** By attribute of sequences, or by tag of frames. */
  readonly attributes: Readonly<Record<string, Values>>;
  readonly curves: Readonly<Record<string, Curve>>;
}

/** A sequence with its score. */
export interface Scored<Details> extends SequenceResult<Details> {
  readonly sequence: Sequence;
}

/** How the results of one way of running trackers become scores. */
export interface Protocol<Details> {
  /** Figures of a tracker; the first decides the order of trackers. */
  readonly measures: readonly Measure[];
  /** Figures of a sequence. */
  readonly sequenceMeasures: readonly Measure[];
  /** Figures by attribute. */
  readonly attributeMeasures: readonly Measure[];
  /** Whether a convention has rules for it. */
  knows(convention: Convention): boolean;
  /**
   * @throws {RangeError} If the convention has no rules for the protocol, or they need a size of
   * pictures that is not known.
   */
  scoreSequence(sequence: Sequence, result: RawResult, rules: Rules): SequenceResult<Details>;
  /** @param scored At least one sequence. */
  combine(scored: readonly Scored<Details>[], rules: Rules): Totals;
}

/** Scores by attribute: an attribute's sequences, by its name in the order of the alphabet. */
export function groupByAttribute<Details>(
  scored: readonly Scored<Details>[],
): [attribute: string, scored: Scored<Details>[]][] {
  const groups = new Map<string, Scored<Details>[]>();
  for (const score of scored) {
    for (const attribute of score.sequence.attributes) {
      groups.set(attribute, [...groups.get(attribute) ?? [], score]);
    }
  }
  return [...groups].sort(([a], [b]) => a < b ? -1 : 1);
}
