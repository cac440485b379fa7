/** Tracks benchmarks: the commands `run` and `epochs` of `deno task evaluate`. */
import { basename, extname, join } from "@std/path";
import {
  type BenchmarkContent,
  benchmarkNamed,
  listCheckpoints,
  loadExperiment,
  readBenchmark,
  runBenchmark,
  type SequenceReport,
  useBackend,
} from "../../mod.ts";

import { reportMissing } from "../report_missing.ts";
import { tellDecoder } from "../tell_decoder.ts";

/** What is tracked, from the command line. */
export interface RunRequest {
  readonly benchmark: string;
  readonly annotations: string;
  readonly config: string;
  /** A checkpoint; for {@linkcode runEpochs} their folder. */
  readonly weights: string;
  readonly results: string;
  readonly overrides: readonly string[];
  /** Threads; one a core by default. */
  readonly workers?: number;
  /** Sequences through the network at once; 1. */
  readonly batch?: number;
  /** Name of the tracker's folder; that of the weights by default. */
  readonly name?: string;
}

/** A tracker's run over a benchmark. */
export interface RunSummary {
  readonly tracker: string;
  readonly tracked: number;
  readonly kept: number;
  readonly failed: readonly { readonly sequence: string; readonly reason: string }[];
  /** Of tracking alone, over all sequences of this run; absent where nothing was tracked. */
  readonly framesPerSecond?: number;
}

/** Tracks a benchmark with one checkpoint. */
export async function run(request: RunRequest): Promise<RunSummary> {
  const content = await open(request);
  const name = request.name ?? basename(request.weights, extname(request.weights));
  return await track(content, { ...request, name });
}

/** Tracks a benchmark with each checkpoint of a training. */
export async function runEpochs(
  request: RunRequest & { readonly epochs?: string },
): Promise<{ readonly summaries: RunSummary[]; readonly epochOf: ReadonlyMap<string, number> }> {
  const content = await open(request);
  const checkpoints = await listCheckpoints(request.weights, request.epochs);
  const summaries: RunSummary[] = [], epochOf = new Map<string, number>();
  for (const { path, epoch } of checkpoints) {
    const name = (request.name ? `${request.name}_` : "") + basename(path, extname(path));
    epochOf.set(name, epoch);
    summaries.push(await track(content, { ...request, weights: path, name }));
  }
  return { summaries, epochOf };
}

async function open({ benchmark, annotations, config, overrides }: RunRequest) {
  const { ignored, config: { training } } = await loadExperiment(config, { overrides });
  for (const reason of ignored) console.log(`Ignored: ${reason}`);
  tellDecoder();
  // Here once, so that a library to build is built before threads need it.
  await using backend = await useBackend(training.device, training);
  console.log(`Backend: ${backend.name}${backend.note ? ` (slow). ${backend.note}` : ""}`);
  const content = await readBenchmark(benchmarkNamed(benchmark), annotations);
  reportMissing(content);
  return content;
}

async function track(
  content: BenchmarkContent,
  { results, name, config, weights, overrides, workers, batch }: RunRequest & {
    readonly name: string;
  },
): Promise<RunSummary> {
  const { benchmark, sequences } = content;
  const folder = join(results, benchmark.name, name);
  console.log(`${name}: ${sequences.length} sequences of ${benchmark.name} to ${folder}`);
  const reports: SequenceReport[] = [];
  const events = runBenchmark(content, {
    tracker: { config, weights, overrides },
    folder,
    workers: workers ?? navigator.hardwareConcurrency,
    batch,
  });
  for await (const report of events) {
    reports.push(report);
    tell(report, `${reports.length}/${sequences.length}`);
  }
  const failed = reports.filter((report) => report.kind === "failed");
  const tracked = reports.filter((report) => report.kind === "tracked");
  const kept = reports.length - failed.length - tracked.length;
  if (kept > 0) console.log(`${kept} sequences had been tracked before`);
  if (failed.length > 0) {
    console.error(`${failed.length} sequences failed and are without results; run again for them`);
  }
  return {
    tracker: name,
    tracked: tracked.length,
    kept,
    failed: failed.map(({ sequence, reason }) => ({ sequence, reason })),
    ...tracked.length > 0 ? { framesPerSecond: meanRate(tracked) } : {},
  };
}

function meanRate(tracked: readonly Extract<SequenceReport, { kind: "tracked" }>[]): number {
  const frames = tracked.reduce((sum, report) => sum + report.frames, 0);
  const seconds = tracked.reduce(
    (sum, report) => sum + report.frames / report.framesPerSecond.tracking,
    0,
  );
  return frames / seconds;
}

function tell(report: SequenceReport, place: string): void {
  const head = `(${place}) ${report.sequence.padEnd(20)}`;
  if (report.kind === "failed") console.error(`${head} failed: ${report.reason}`);
  if (report.kind !== "tracked") return;
  const { frames, failures, framesPerSecond: { tracking, all }, device } = report;
  const lost = failures > 0 ? `, lost ${failures}` : "";
  const where = device.includes(":") ? `, on ${device}` : "";
  console.log(
    `${head} ${frames} frames, ${tracking.toFixed(1)} frames/s, ${
      all.toFixed(1)
    } with reading${lost}${where}`,
  );
}
