import type { BenchmarkContent } from "../src/evaluation/benchmarks/mod.ts";

type Missing = BenchmarkContent["missing"][number];

/** Says which sequences of a benchmark cannot be used, and why. */
export function reportMissing({ benchmark, sequences, missing }: BenchmarkContent): void {
  const { count } = benchmark;
  if (count !== undefined && sequences.length + missing.length < count) {
    console.error(`${benchmark.name}: found ${sequences.length} sequences, expected ${count}`);
  }
  // Hundreds of files that are not there differ in nothing but the name.
  const pattern = ({ name, reason }: Missing) => reason.replaceAll(name, "<sequence>");
  for (const [reason, group] of Map.groupBy(missing, pattern)) {
    const names = group.map(({ name }) => name).join(", ");
    console.error(`Without ${names}: ${group.length > 1 ? reason : group[0].reason}`);
  }
}
