import { join, relative } from "@std/path";
import {
  type BenchmarkContent,
  benchmarkNamed,
  findBenchmark,
  readBenchmark,
} from "./benchmarks/mod.ts";
import { type ConventionName, CONVENTIONS } from "./conventions.ts";
import { listTrackers } from "./result_names.ts";
import { type LengthRule, TrackerResults } from "./results.ts";
import {
  type BenchmarkScores,
  type ExtraResults,
  gatherScores,
  rankScores,
  type ScoreProblem,
  scoreTrackers,
  type TrackerScore,
} from "./score.ts";
import type { Sequence } from "./sequence.ts";

/** What is to be scored, as plain data. */
export interface ScoreRequest {
  /** Name of the benchmark. */
  readonly benchmark: string;
  /** Path of the annotations: see `readBenchmark`. */
  readonly annotations: string;
  /** Folder of the results: see {@linkcode findTrackers}. */
  readonly results: string;
  /** Names of the trackers; all by default. */
  readonly trackers?: readonly string[];
  /** Those of the published figures by default. */
  readonly conventions?: readonly ConventionName[];
  readonly lengths?: Exclude<LengthRule, "any">;
}

/** Scores with what was read to get them. */
export interface ScoredBenchmark extends BenchmarkContent {
  readonly trackers: readonly TrackerResults[];
  readonly scores: BenchmarkScores;
}

/** What a thread sends back. */
export interface ScoreShare {
  readonly scores: readonly TrackerScore[];
  readonly problems: readonly ScoreProblem[];
  readonly extras: readonly ExtraResults[];
}

/** Which trackers a thread takes: every `of`-th, from `index` on. */
export interface ShareOptions {
  readonly index: number;
  readonly of: number;
}

/** Fewer trackers than this are scored before another thread has started. */
const TRACKERS_A_THREAD = 12;

/**
 * Scores raw results on a benchmark, many trackers spread over threads.
 *
 * @param threads Every thread reads the annotations by itself, which takes less than sending them.
 * @throws {RangeError} As `scoreTrackers`; and if a tracker has no results.
 */
export async function scoreBenchmark(
  request: ScoreRequest,
  options: { readonly threads?: number } = {},
): Promise<ScoredBenchmark> {
  const trackers = await countFolders(request);
  const wanted = Math.min(navigator.hardwareConcurrency, trackers / TRACKERS_A_THREAD);
  const of = Math.max(1, Math.min(options.threads ?? Math.floor(wanted), trackers));
  const workers = Array.from({ length: of - 1 }, () => new ShareWorker());
  try {
    const others = workers.map((worker, i) => worker.run(request, { index: i + 1, of }));
    // A failure here comes up there too; it is told once.
    for (const other of others) other.catch(() => {});
    const mine = await scoreShare(request, { index: 0, of });
    const shares = [mine.scores, ...await Promise.all(others)];
    const scores = rankScores({
      ...mine.scores,
      scores: shares.flatMap(({ scores }) => scores),
      problems: shares.flatMap(({ problems }) => problems),
      extras: shares.flatMap(({ extras }) => extras),
    });
    return { ...mine, scores };
  } finally {
    for (const worker of workers) worker.end();
  }
}

/** Number of trackers, or a little more. */
async function countFolders({ results, benchmark, trackers }: ScoreRequest): Promise<number> {
  if (trackers) return trackers.length;
  const folder = await resultsFolder(results, benchmarkNamed(benchmark).name);
  let count = 0;
  for await (const { isFile } of Deno.readDir(folder)) if (!isFile) count++;
  return count;
}

/** Scores one thread's trackers. */
export async function scoreShare(
  request: ScoreRequest,
  { index, of }: ShareOptions,
): Promise<ScoredBenchmark> {
  const benchmark = benchmarkNamed(request.benchmark);
  const content = await readBenchmark(benchmark, request.annotations);
  const trackers = await findTrackers(request.results, content, request.trackers);
  const options = {
    ...content,
    trackers: trackers.filter((_, i) => i % of === index),
    conventions: (request.conventions ?? [benchmark.convention]).map((name) => CONVENTIONS[name]),
    lengths: request.lengths,
  };
  const scores = await gatherScores(scoreTrackers(options), options);
  return { ...content, trackers, scores };
}

/**
 * Trackers whose results lie in a folder, perhaps below one of the benchmark's name: a folder each, or
 * the folder itself.
 *
 * @param names Only these; all by default.
 * @throws {RangeError} If there is none, or one of these is not there.
 */
export async function findTrackers(
  results: string,
  { benchmark, sequences }: {
    readonly benchmark: { readonly name: string };
    readonly sequences: readonly Sequence[];
  },
  names?: readonly string[],
): Promise<TrackerResults[]> {
  const root = await resultsFolder(results, benchmark.name);
  const folders = await listTrackers(root, sequences);
  // One that lies further down has the names of both folders.
  const found = folders.map((folder) =>
    new TrackerResults(folder, relative(root, folder) || undefined)
  );
  if (found.length === 0) throw new RangeError(`Cannot find a tracker's folder in "${results}"`);
  if (!names) return found;
  return names.map((name) => {
    const tracker = found.find((tracker) => tracker.name === name);
    if (tracker) return tracker;
    const others = found.map(({ name }) => name).join(", ");
    throw new RangeError(`Cannot find tracker "${name}" in "${results}", found ${others}`);
  });
}

/** The folder of a benchmark's results where there is one, by any of its names; `NfS/30` in GOT-10k's toolkit. */
async function resultsFolder(results: string, benchmark: string): Promise<string> {
  if (await isFolder(join(results, benchmark))) return join(results, benchmark);
  const [, rate] = /^NFS(\d+)$/.exec(benchmark) ?? [];
  for await (const { name } of Deno.readDir(results)) {
    const path = join(results, name);
    if (rate && name.toLowerCase() === "nfs" && await isFolder(join(path, rate))) {
      return join(path, rate);
    }
    if (findBenchmark(name) === benchmark && await isFolder(path)) return path;
  }
  return results;
}

function isFolder(path: string): Promise<boolean> {
  return Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
}

/** Another thread that scores a share. */
class ShareWorker {
  readonly #worker = new Worker(new URL("./score_worker.ts", import.meta.url), { type: "module" });

  run(request: ScoreRequest, share: ShareOptions): Promise<ScoreShare> {
    return new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }) =>
        data.error === undefined ? resolve(data) : reject(new RangeError(data.error));
      this.#worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
      this.#worker.postMessage({ request, share });
    });
  }

  end(): void {
    this.#worker.terminate();
  }
}
