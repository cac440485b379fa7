import type { BenchmarkContent } from "../src/evaluation/benchmarks/mod.ts";

/** Says which sequences of a benchmark cannot be used, and why. */
export function reportMissing({ benchmark, sequences, missing }: BenchmarkContent): void {
  const { count } = benchmark;
  if (count !== undefined && sequences.length + missing.length < count) {
    console.error(`${benchmark.name}: found ${sequences.length} sequences, expected ${count}`);
  }
  const byReason = Map.groupBy(missing, ({ reason }) => reason);
  for (const [reason, group] of byReason) {
    console.error(`Without ${group.map(({ name }) => name).join(", ")}: ${reason}`);
  }
}
