import type { BenchmarkContent } from "../src/evaluation/benchmarks/mod.ts";

/** Names shown of sequences that are missing for the same reason. */
const NAMES_SHOWN = 8;

/** Says which sequences of a benchmark cannot be used, and why. */
export function reportMissing({ benchmark, sequences, missing }: BenchmarkContent): void {
  const { count } = benchmark;
  if (count !== undefined && sequences.length + missing.length < count) {
    console.error(`${benchmark.name}: found ${sequences.length} sequences, expected ${count}`);
  }
  const byReason = Map.groupBy(missing, ({ reason }) => reason);
  for (const [reason, group] of byReason) {
    const names = group.slice(0, NAMES_SHOWN).map(({ name }) => name).join(", ");
    const more = group.length > NAMES_SHOWN ? ` and ${group.length - NAMES_SHOWN} more` : "";
    console.error(`Without ${names}${more}: ${reason}`);
  }
}
