/** Tracks a benchmark: every sequence once, in threads, what is finished is kept. */
import { join } from "@std/path";
import { useBackend } from "../backends/mod.ts";
import { loadExperiment } from "../config/load.ts";
import { runJobs } from "../data/run_jobs.ts";
import { type BenchmarkContent, benchmarkNamed } from "../evaluation/benchmarks/mod.ts";
import { followSequence } from "../evaluation/run/follow.ts";
import { resultFile, type ResultPlace, writeResult } from "../evaluation/run/result_files.ts";
import type { Sequence } from "../evaluation/sequence.ts";
import { readImage } from "../image/decode.ts";
import type { Image } from "../image/image.ts";
import type { SiamBAN } from "../models/siamban.ts";
import { TrackerGroup } from "../tracking/group.ts";
import {
  explainWriteError,
  removePartialFiles,
  writeFileAtomically,
} from "../weights/atomic_file.ts";
import { trackerOptions } from "./held_out.ts";
import { openTrained } from "./trained.ts";

/** What makes a tracker, as plain data, so that a thread can make it. */
export interface TrackerFiles {
  /** An experiment. */
  readonly config: string;
  /** A checkpoint. */
  readonly weights: string;
  /** Settings that replace the experiment's. */
  readonly overrides?: readonly string[];
}

/** How a benchmark is tracked. */
export interface RunBenchmarkOptions {
  readonly tracker: TrackerFiles;
  /** The tracker's folder. */
  readonly folder: string;
  /** Threads, each with a tracker of its own; 0 tracks in this one. */
  readonly workers: number;
  /** Sequences that a thread tracks at once, through one batch of the network; 1. */
  readonly batch?: number;
}

/** What became of a sequence. */
export type SequenceReport =
  | { readonly kind: "kept"; readonly sequence: string }
  | {
    readonly kind: "tracked";
    readonly sequence: string;
    readonly frames: number;
    /** Starts after the first (restart protocol). */
    readonly failures: number;
    /** Frames a second of tracking alone, and with reading the pictures. */
    readonly framesPerSecond: { readonly tracking: number; readonly all: number };
    /** The backend that tracked it; with its number, `cuda:1`, where there are several GPUs. */
    readonly device: string;
  }
  | { readonly kind: "failed"; readonly sequence: string; readonly reason: string };

/** One sequence for a thread. */
export interface SequenceJob {
  readonly tracker: TrackerFiles;
  readonly place: ResultPlace;
  readonly sequence: Sequence;
  /** CPU threads of its kernels. */
  readonly threads: number;
}

/**
 * Tracks every sequence of a benchmark that has no results yet. A sequence that fails is reported and
 * leaves no file, so that it is neither scored nor passed over the next time.
 *
 * @throws {RangeError} If the folder holds results of another tracker or other settings.
 */
export async function* runBenchmark(
  { benchmark: { name, protocol }, sequences }: BenchmarkContent,
  { tracker, folder, workers, batch = 1 }: RunBenchmarkOptions,
): AsyncGenerator<SequenceReport> {
  await claimFolder(folder, tracker);
  const placeOf = (sequence: Sequence): ResultPlace => ({
    folder,
    benchmark: benchmarkNamed(name).name,
    protocol,
    sequence: sequence.name,
  });
  const open: Sequence[] = [];
  for (const sequence of sequences) {
    const { isFile } = await Deno.stat(resultFile(placeOf(sequence))).catch(() => ({
      isFile: false,
    }));
    if (isFile) yield { kind: "kept", sequence: sequence.name };
    else open.push(sequence);
  }
  const count = Math.min(workers, open.length);
  const threads = count > 1 ? 1 : 0;
  // Long sequences first, so that none is left to one thread at the end.
  const jobs = open.toSorted((a, b) => b.frames.length - a.frames.length)
    .map((sequence): SequenceJob => ({ tracker, place: placeOf(sequence), sequence, threads }));
  await using runner = new SequenceRunner();
  if (batch > 1) return yield* runTogether(jobs, batch, (job) => runner.run(job));
  yield* runJobs(streamOf(jobs), {
    worker: new URL("./run_benchmark_worker.ts", import.meta.url),
    workers: count > 1 ? count : 0,
    run: (job) => runner.run(job),
  });
}

/** Runs jobs in this thread, at most `count` at once; yields results as they come. */
async function* runTogether<Job, Result>(
  jobs: readonly Job[],
  count: number,
  run: (job: Job) => Promise<Result>,
): AsyncGenerator<Result> {
  const running = new Map<number, Promise<{ readonly place: number; readonly result: Result }>>();
  for (const [place, job] of jobs.entries()) {
    if (running.size === count) {
      const { place, result } = await Promise.race(running.values());
      running.delete(place);
      yield result;
    }
    running.set(place, run(job).then((result) => ({ place, result })));
  }
  while (running.size > 0) {
    const { place, result } = await Promise.race(running.values());
    running.delete(place);
    yield result;
  }
}

async function* streamOf<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** Notes which tracker a folder's results are of, and refuses those of another. */
async function claimFolder(folder: string, tracker: TrackerFiles): Promise<void> {
  const path = join(folder, "tracker.json");
  const mine = JSON.stringify(await identityOf(tracker), null, 1);
  const found = await Deno.readTextFile(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  if (found !== undefined && found.trim() !== mine) {
    throw new RangeError(
      `Cannot go on in "${folder}": its results are of other weights or settings (tracker.json), ` +
        "choose another name, or remove the folder",
    );
  }
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (cause) {
    throw explainWriteError(folder, cause);
  }
  if (found === undefined) await writeFileAtomically(path, [new TextEncoder().encode(mine + "\n")]);
  else await removePartialFiles(folder);
}

/** What decides a tracker's answers: settings and content of the weights, not their paths. */
async function identityOf({ config: file, weights, overrides }: TrackerFiles) {
  const { config } = await loadExperiment(file, { overrides });
  const { backbone, neck, head, points, tracking } = config;
  const content = await Deno.readFile(weights);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content)).toHex();
  return { backbone: backbone.type, neck: neck.type, head, points, tracking, weights: digest };
}

/** Tracks sequences with one network, which it opens at the first; several at once go through it together. */
export class SequenceRunner implements AsyncDisposable {
  readonly #number: number;
  #opened?: Promise<OpenedGroup>;

  /** @param number Of this thread, from 0: threads share the GPUs out by it. */
  constructor(number = 0) {
    this.#number = number;
  }

  /** Never throws: what goes wrong is the report. */
  async run(job: SequenceJob): Promise<SequenceReport> {
    const { sequence, place } = job;
    try {
      if (sequence.frames.length === 0) {
        throw new RangeError(`Cannot follow "${sequence.name}": its pictures are not there`);
      }
      const { group, device } = await (this.#opened ??= openGroup(job, this.#number));
      using tracker = group.open();
      const start = performance.now();
      const frames = picturesOf(sequence);
      const followed = await followSequence(tracker, sequence, {
        protocol: place.protocol,
        frames,
      });
      const seconds = (performance.now() - start) / 1000;
      await writeResult(place, followed);
      const count = followed.trajectory.length;
      return {
        kind: "tracked",
        sequence: sequence.name,
        frames: count,
        failures: followed.trajectory.filter((answer) => answer === 2).length,
        framesPerSecond: {
          tracking: count / followed.seconds.reduce((sum, value) => sum + value, 0),
          all: count / seconds,
        },
        device,
      };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { kind: "failed", sequence: sequence.name, reason };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    const made = await opened?.catch(() => undefined);
    made?.group[Symbol.dispose]();
    made?.model[Symbol.dispose]();
  }
}

interface OpenedGroup {
  readonly group: TrackerGroup;
  readonly model: SiamBAN;
  readonly device: string;
}

async function openGroup(
  { tracker: { config: file, weights, overrides }, threads }: SequenceJob,
  localRank: number,
): Promise<OpenedGroup> {
  const { config } = await loadExperiment(file, { overrides });
  const { training } = config;
  const options = { ...training, threads: threads || training.threads, localRank };
  const { name, cuda } = await useBackend(training.device, options);
  const cards = cuda?.driver.deviceCount() ?? 1;
  const model = await openTrained(config, weights);
  const group = new TrackerGroup(model, trackerOptions(config));
  return { model, group, device: cards > 1 ? `${name}:${localRank % cards}` : name };
}

async function* picturesOf({ frames }: Sequence): AsyncGenerator<Image> {
  for (const path of frames) {
    const { warning, ...image } = await readImage(path);
    if (warning !== undefined) throw new SyntaxError(`Cannot decode "${path}": ${warning}`);
    yield image;
  }
}
