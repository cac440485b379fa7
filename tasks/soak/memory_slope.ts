/** Memory of a training after so many steps. */
export interface MemorySample {
  readonly steps: number;
  readonly mebibytes: number;
}

/**
 * How memory grows with steps once the training has warmed up: the least-squares slope over the later half.
 *
 * @returns MiB a thousand steps; NaN for fewer than two samples there.
 */
export function memorySlope(samples: readonly MemorySample[]): number {
  const late = samples.slice(Math.floor(samples.length / 2));
  const mean = (of: (sample: MemorySample) => number) =>
    late.reduce((sum, sample) => sum + of(sample), 0) / late.length;
  const [steps, mebibytes] = [mean((s) => s.steps), mean((s) => s.mebibytes)];
  const covariance = mean((s) => (s.steps - steps) * (s.mebibytes - mebibytes));
  return 1000 * covariance / mean((s) => (s.steps - steps) ** 2);
}
