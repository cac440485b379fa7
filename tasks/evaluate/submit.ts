/** Packs results for a benchmark's server: the command `submit` of `deno task evaluate`. */
import { join } from "@std/path";
import {
  benchmarkNamed,
  findTrackers,
  packSubmission,
  readBenchmark,
  readSubmission,
} from "../../src/evaluation/mod.ts";
import { reportMissing } from "../report_missing.ts";

/** What is packed, from the command line. */
export interface SubmitRequest {
  readonly benchmark: string;
  readonly annotations: string;
  readonly results: string;
  /** Names of the trackers; all by default. */
  readonly trackers?: readonly string[];
  /** Folder of the archives, one a tracker. */
  readonly out: string;
}

/**
 * Writes an archive for each tracker.
 *
 * @throws {RangeError} If no server takes results of the benchmark.
 */
export async function submit(
  { benchmark: wanted, annotations, results, trackers, out }: SubmitRequest,
): Promise<void> {
  const benchmark = benchmarkNamed(wanted), { name } = benchmark;
  if (name !== "GOT-10k" && name !== "TrackingNet") {
    throw new RangeError(`Cannot pack results for ${name}, expected GOT-10k or TrackingNet`);
  }
  const content = await readBenchmark(benchmark, annotations);
  reportMissing(content);
  await Deno.mkdir(out, { recursive: true });
  for (const tracker of await findTrackers(results, content, trackers)) {
    const archive = await packSubmission(await readSubmission(tracker, content.sequences), name);
    const file = join(out, `${tracker.name.replaceAll("/", "_")}.zip`);
    await Deno.writeFile(file, archive);
    console.log(`${file}: ${content.sequences.length} sequences, ${archive.length} bytes`);
  }
}
