/** What mattered: how much each parameter had to do with the score. */
import { Parzen } from "./parzen.ts";
import type { Observation } from "./samplers.ts";
import type { Space } from "./space.ts";

/** How much a parameter mattered. */
export interface Importance {
  readonly name: string;
  /**
   * Share of what sets the best tenth apart, 0 to 1, in sum 1 (PED-ANOVA; Watanabe et al.,
   * arXiv:2304.10255, section 3): how far the density of the best settings is from that of all, as
   * Pearson divergence. NaN with too few settings.
   */
  readonly share: number;
  /** Spearman's rank correlation with the score, −1 to 1: the direction, where there is one. */
  readonly correlation: number;
}

/** Fewer settings say nothing about densities. */
const FEWEST = 10;
const GOOD_SHARE = 0.1;
/** Places where densities are compared. */
const PLACES = 50;

/**
 * How much each parameter mattered, the most important first.
 *
 * @param observed Settings with their scores, higher being better; others are passed by.
 */
export function importances(space: Space, observed: readonly Observation[]): Importance[] {
  const done = observed.filter(({ score }) => Number.isFinite(score));
  const ranked = done.toSorted((a, b) => b.score! - a.score!);
  const good = ranked.slice(0, Math.max(2, Math.ceil(GOOD_SHARE * ranked.length)));
  const divergences = space.map((parameter) => {
    const places = (list: readonly Observation[]) =>
      list.map(({ values }) => parameter.place(values[parameter.name]));
    return done.length < FEWEST ? NaN : divergence(places(good), places(done));
  });
  const sum = divergences.reduce((total, value) => total + value, 0);
  const scores = done.map(({ score }) => score!);
  return space.map(({ name }, i) => ({
    name,
    share: divergences[i] / sum,
    correlation: spearman(done.map(({ values }) => values[name]), scores),
  })).sort((a, b) => b.share - a.share || 0);
}

/** Pearson divergence of the density of some places from that of all. */
function divergence(some: readonly number[], all: readonly number[]): number {
  const narrowest = 0.5 / PLACES;
  const p = Parzen.scott(some, narrowest), q = Parzen.scott(all, narrowest);
  let sum = 0;
  for (let i = 0; i < PLACES; i++) {
    const from = i / PLACES, to = (i + 1) / PLACES;
    // Where hardly any setting was tried there is nothing to be told.
    const mass = q.mass(from, to) + 1e-9;
    sum += mass * (p.mass(from, to) / mass - 1) ** 2;
  }
  return sum;
}

/** Correlation of ranks; NaN where all values of either are equal. */
export function spearman(xs: readonly number[], ys: readonly number[]): number {
  const a = ranks(xs), b = ranks(ys), mean = (xs.length + 1) / 2;
  let covariance = 0, varianceA = 0, varianceB = 0;
  for (let i = 0; i < a.length; i++) {
    covariance += (a[i] - mean) * (b[i] - mean);
    varianceA += (a[i] - mean) ** 2;
    varianceB += (b[i] - mean) ** 2;
  }
  return covariance / Math.sqrt(varianceA * varianceB);
}

/** Ranks from 1; equal values share their mean rank. */
function ranks(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((a, b) => values[a] - values[b]);
  const result = new Array<number>(values.length);
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to < order.length && values[order[to]] === values[order[from]]) to++;
    for (let i = from; i < to; i++) result[order[i]] = (from + 1 + to) / 2;
    from = to;
  }
  return result;
}
