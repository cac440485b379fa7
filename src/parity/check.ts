/** One comparison with a reference value. */
export interface Check {
  /** Path of what is compared, from the file on: `resnet18/frozen/losses`. */
  readonly name: string;
  /** How far it is off; what it is measured in depends on the check, as does the tolerance. */
  readonly error: number;
  readonly tolerance: number;
  readonly passed: boolean;
  /** Why a check that did not pass is no failure either: the start's last bits decide it. */
  readonly undecided?: string;
  /** Which item was the worst, or what is wrong. */
  readonly detail?: string;
}

/** A {@linkcode Check} that passes if the error is at most the tolerance; NaN does not. */
export function check(
  name: string,
  { error, tolerance, detail }: Omit<Check, "name" | "passed">,
): Check {
  return { name, error, tolerance, passed: error <= tolerance, ...(detail ? { detail } : {}) };
}

/** One of many comparisons of a kind. */
export interface Deviation {
  readonly item: string;
  readonly error: number;
  readonly tolerance: number;
}

/** Many comparisons of a kind as one check: that of the item nearest to its tolerance or beyond it. */
export function worstOf(name: string, deviations: Iterable<Deviation>): Check {
  let count = 0, failed = 0;
  let worst: Deviation = { item: "nothing to compare", error: 0, tolerance: 0 };
  let worstRatio = -1;
  for (const deviation of deviations) {
    const { error, tolerance } = deviation;
    const ratio = error === 0 ? 0 : Number.isNaN(error) ? Infinity : error / tolerance;
    count++;
    if (!(error <= tolerance)) failed++;
    if (ratio > worstRatio) [worst, worstRatio] = [deviation, ratio];
  }
  const { error, tolerance, item } = worst;
  const failures = failed > 0 ? `, ${failed} failed` : "";
  return {
    name,
    error,
    tolerance,
    passed: failed === 0,
    detail: count <= 1 ? item : `worst of ${count}${failures}: ${item}`,
  };
}

/** Comparison of two lists that must be equal; the error counts the places that differ. */
export function checkEqual(
  name: string,
  found: readonly string[],
  expected: readonly string[],
): Check {
  const length = Math.max(found.length, expected.length);
  const different = Array.from({ length }, (_, i) => i).filter((i) => found[i] !== expected[i]);
  const [first] = different;
  const detail = first === undefined
    ? `${length} equal`
    : `at ${first}: found ${found[first] ?? "nothing"}, expected ${expected[first] ?? "nothing"}`;
  return check(name, { error: different.length, tolerance: 0, detail });
}
