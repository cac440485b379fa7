/** Which settings are tried next. */
import type { Rng } from "../random.ts";
import { Parzen } from "./parzen.ts";
import { type Dimension, gridPoint, inOrder, type Setting, type Space } from "./space.ts";

/** A setting that was tried, or is being tried. */
export interface Observation {
  readonly values: Setting;
  /** Higher is better; undefined while it is being tried. */
  readonly score?: number;
}

/** What a sampler may look at. */
export interface SampleContext {
  readonly space: Space;
  /** Number of the setting, from 0. */
  readonly number: number;
  readonly observed: readonly Observation[];
  readonly rng: Rng;
}

/** Ways to search. */
export const METHODS = ["tpe", "random", "grid"] as const;

/** A way to search. */
export type Method = (typeof METHODS)[number];

/**
 * The next setting to try.
 *
 * @param gridPoints Setting a parameter in a grid, where it has no list.
 * @returns Undefined where a grid has no more.
 */
export function suggest(
  method: Method,
  context: SampleContext,
  { gridPoints = 5 } = {},
): Setting | undefined {
  switch (method) {
    case "grid":
      return gridPoint(context.space, context.number, gridPoints);
    case "random":
      return suggestRandom(context);
    case "tpe":
      return suggestTpe(context);
  }
}

/** Every value of a range alike. */
export function suggestRandom({ space, rng }: Pick<SampleContext, "space" | "rng">): Setting {
  return Object.fromEntries(
    space.map((parameter) => [parameter.name, parameter.at(rng.uniform())]),
  );
}

/** Settings tried at random before there is something to learn from. */
const STARTUP = 10;
/** Share of the settings that count as good, and how many at most. */
const GOOD_SHARE = 0.15, MOST_GOOD = 25;
/** Candidates drawn of each parameter. */
const CANDIDATES = 24;

/**
 * Tree-structured Parzen estimator (Bergstra et al., "Algorithms for hyper-parameter optimization",
 * NIPS 2011, section 4): of candidates from the density of good settings, the one that is likeliest
 * among good and least likely among the others. Settings that are still being tried count as not
 * good, so that settings tried side by side differ.
 */
export function suggestTpe({ space, observed, rng }: SampleContext): Setting {
  const done = observed.filter(({ score }) => score !== undefined && !Number.isNaN(score));
  if (done.length < STARTUP) return suggestRandom({ space, rng });
  const ranked = done.toSorted((a, b) => b.score! - a.score!);
  const good = ranked.slice(0, Math.min(MOST_GOOD, Math.ceil(GOOD_SHARE * ranked.length)));
  const others = observed.filter((observation) => !good.includes(observation));
  const values = Object.fromEntries(
    space.map((parameter) => [parameter.name, best(parameter, { good, others, rng })]),
  );
  return inOrder(space, values);
}

function best(
  parameter: Dimension,
  { good, others, rng }: {
    readonly good: readonly Observation[];
    readonly others: readonly Observation[];
    readonly rng: Rng;
  },
): number {
  const places = (list: readonly Observation[]) =>
    list.map(({ values }) => parameter.place(values[parameter.name]));
  const l = Parzen.adaptive(places(good)), g = Parzen.adaptive(places(others));
  // A value of a list stands for its share of the places, one of a range for a point.
  const half = parameter.count && 0.5 / parameter.count;
  const weight = (density: Parzen, at: number) =>
    half ? density.mass(at - half, at + half) : density.density(at);
  let value = NaN, highest = -Infinity;
  for (let i = 0; i < CANDIDATES; i++) {
    const candidate = parameter.at(l.sample(() => rng.uniform()));
    const at = parameter.place(candidate), ratio = weight(l, at) / weight(g, at);
    if (ratio > highest) [value, highest] = [candidate, ratio];
  }
  return value;
}
