/** Steps over which the ranks are compared, and how much slower than the middle one is slow. */
const STEPS = 50;
const FACTOR = 1.5;

/** Finds ranks for which the others wait. */
export class SlowRanks {
  #sums: number[] = [];
  #steps = 0;

  /**
   * Takes note of a step.
   *
   * @param seconds Of each rank's own work; nothing where there is one rank.
   * @returns What there is to say, at most once in {@linkcode STEPS} steps.
   */
  look(seconds: readonly number[] | undefined): string | undefined {
    if (!seconds) return undefined;
    this.#sums = seconds.map((value, rank) => value + (this.#sums[rank] ?? 0));
    if (++this.#steps < STEPS) return undefined;
    const means = this.#sums.map((sum) => sum / STEPS);
    this.#sums = [];
    this.#steps = 0;
    // Of two ranks the faster one is the measure.
    const usual = means.toSorted((a, b) => a - b)[Math.floor((means.length - 1) / 2)];
    const slow = means.flatMap((mean, rank) =>
      mean > FACTOR * usual ? [`rank ${rank} (${mean.toFixed(2)} s)`] : []
    );
    if (slow.length === 0) return undefined;
    return `the other ranks wait for ${slow.join(", ")}: a step of theirs takes ${
      usual.toFixed(2)
    } s`;
  }
}
