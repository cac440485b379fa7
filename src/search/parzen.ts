/** Densities over [0, 1] made of a bump at each observation. */

/** A mixture of normal distributions of equal weight, each cut off at 0 and 1. */
export class Parzen {
  readonly #centres: readonly number[];
  readonly #widths: readonly number[];

  constructor(centres: readonly number[], widths: readonly number[]) {
    this.#centres = centres;
    this.#widths = widths;
  }

  /**
   * The adaptive estimator of TPE (Bergstra et al., NIPS 2011, section 4.2): a bump is as wide as the
   * distance to its farther neighbour, and a broad one in the middle says that nothing is excluded.
   */
  static adaptive(observed: readonly number[]): Parzen {
    const prior = 0.5, all = [...observed, prior].sort((a, b) => a - b);
    const narrowest = 1 / Math.min(100, all.length + 1);
    const broad = all.indexOf(prior);
    const widths = all.map((centre, i) => {
      if (i === broad) return 1;
      const left = centre - (all[i - 1] ?? 0), right = (all[i + 1] ?? 1) - centre;
      return Math.min(1, Math.max(narrowest, left, right));
    });
    return new Parzen(all, widths);
  }

  /** Bumps of one width, by Scott's rule. */
  static scott(observed: readonly number[], narrowest: number): Parzen {
    const n = observed.length;
    const mean = observed.reduce((sum, x) => sum + x, 0) / n;
    const deviation = Math.sqrt(observed.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n);
    const width = Math.max(narrowest, 1.059 * deviation * n ** -0.2);
    return new Parzen(observed, observed.map(() => width));
  }

  /** @param uniform Draws from [0, 1). */
  sample(uniform: () => number): number {
    const i = Math.floor(uniform() * this.#centres.length);
    const centre = this.#centres[i], width = this.#widths[i];
    const low = normalShare(-centre / width), high = normalShare((1 - centre) / width);
    const target = low + uniform() * (high - low);
    // Half the interval in each of 50 steps: as exact as a double is.
    let from = 0, to = 1;
    for (let step = 0; step < 50; step++) {
      const middle = (from + to) / 2;
      if (normalShare((middle - centre) / width) < target) from = middle;
      else to = middle;
    }
    return from;
  }

  /** Density at a place. */
  density(x: number): number {
    return this.#mean((centre, width) =>
      Math.exp(-(((x - centre) / width) ** 2) / 2) / (width * Math.sqrt(2 * Math.PI))
    );
  }

  /** Mass between two places. */
  mass(from: number, to: number): number {
    return this.#mean((centre, width) =>
      normalShare((to - centre) / width) - normalShare((from - centre) / width)
    );
  }

  /** Mean over the bumps, each by what of it lies between 0 and 1. */
  #mean(of: (centre: number, width: number) => number): number {
    let sum = 0;
    for (let i = 0; i < this.#centres.length; i++) {
      const centre = this.#centres[i], width = this.#widths[i];
      sum += of(centre, width) / (normalShare((1 - centre) / width) - normalShare(-centre / width));
    }
    return sum / this.#centres.length;
  }
}

/** Share of a normal distribution below x deviations (Abramowitz and Stegun, 7.1.26; within 1e-7). */
function normalShare(x: number): number {
  const z = Math.abs(x) / Math.SQRT2, t = 1 / (1 + 0.3275911 * z);
  const polynomial =
    ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  const tail = polynomial * Math.exp(-z * z) / 2;
  return x < 0 ? tail : 1 - tail;
}
