/** Makes cases, runs them and says what is wrong with them. */
import { Rng } from "../../src/random.ts";
import { mutate } from "./mutations.ts";
import type { Target } from "./target.ts";

/** What a case may take. A run that does not come back at all is ended by the watchdog. */
export const LIMITS = { seconds: 5, mebibytes: 512 } as const;

/** A target with its corpus read. */
export interface LoadedTarget {
  readonly target: Target;
  readonly corpus: readonly Uint8Array<ArrayBuffer>[];
}

/** Reads a target's corpus, to which found cases belong. */
export async function loadTarget(
  target: Target,
  found: readonly Uint8Array<ArrayBuffer>[] = [],
): Promise<LoadedTarget> {
  return { target, corpus: [...await target.corpus(), ...found] };
}

/** The case of a seed and number: always the same bytes for the same corpus. */
export function caseOf(
  { target, corpus }: LoadedTarget,
  seed: number,
  index: number,
): Uint8Array<ArrayBuffer> {
  const rng = new Rng(seed, nameNumber(target.name), index);
  const bytes = mutate(rng, corpus, target.dictionary);
  // One in four keeps wrong checksums, which have to be found as well.
  return target.repair && rng.integer(4) > 0 ? target.repair(bytes) : bytes;
}

function nameNumber(name: string): number {
  return [...name].reduce((sum, letter) => (31 * sum + letter.charCodeAt(0)) % 2 ** 31, 7);
}

/** How a case ended: `parsed`, `refused`, or a fault in words. */
export type Outcome = "parsed" | "refused" | { readonly fault: string };

/** Runs a case. Never throws. */
export async function runCase(
  target: Target,
  bytes: Uint8Array<ArrayBuffer>,
  folder: string,
): Promise<Outcome> {
  const memory = Deno.memoryUsage().rss;
  const start = performance.now();
  let outcome: Outcome = "parsed";
  try {
    await target.run(bytes, folder);
  } catch (error) {
    const isAllowed = target.allowedErrors.some((allowed) => error instanceof allowed);
    outcome = isAllowed ? "refused" : { fault: `it throws ${describe(error)}` };
  }
  const seconds = (performance.now() - start) / 1000;
  const mebibytes = (Deno.memoryUsage().rss - memory) / 2 ** 20;
  if (Object.keys(Object.prototype).length > 0) return { fault: "it changes every object" };
  if (typeof outcome === "object") return outcome;
  if (seconds > LIMITS.seconds) return { fault: `it takes ${seconds.toFixed(1)} s` };
  if (mebibytes > LIMITS.mebibytes) return { fault: `it takes ${mebibytes.toFixed(0)} MiB` };
  return outcome;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = error.stack?.split("\n").find((line) => /^\s+at /.test(line))?.trim() ?? "";
  return `${error.constructor.name}: ${error.message.slice(0, 200)} (${place})`;
}
