import { type BenchmarkContent, groupMissing } from "../src/evaluation/benchmarks/mod.ts";

/** Says which sequences of a benchmark cannot be used, and why. */
export function reportMissing(
  { benchmark, sequences, missing, others = [] }: BenchmarkContent,
): void {
  const { count } = benchmark;
  if (count !== undefined && sequences.length + missing.length < count) {
    console.error(`${benchmark.name}: found ${sequences.length} sequences, expected ${count}`);
  }
  if (others.length > 0) {
    console.error(
      `Not counted, for they are in the annotations but not in ${benchmark.name}: ${
        others.join(", ")
      }`,
    );
  }
  for (const { names, reason } of groupMissing(missing)) {
    console.error(`Without ${names.join(", ")}: ${reason}`);
  }
}
