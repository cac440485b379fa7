import { type BenchmarkContent, groupMissing } from "../src/evaluation/benchmarks/mod.ts";

/** Says which sequences of a benchmark cannot be used, and why. */
export function reportMissing({ benchmark, sequences, missing }: BenchmarkContent): void {
  const { count } = benchmark;
  if (count !== undefined && sequences.length + missing.length < count) {
    console.error(`${benchmark.name}: found ${sequences.length} sequences, expected ${count}`);
  }
  for (const { names, reason } of groupMissing(missing)) {
    console.error(`Without ${names.join(", ")}: ${reason}`);
  }
}
