/**
 * Batches as a stream: made ahead on worker threads, in shared memory, delivered in order.
 *
 * @module
 */
import type { BANDataset } from "./ban_dataset.ts";
import { batchPosition, type BatchSchedule, samplePosition } from "./batch_schedule.ts";
import {
  type Batch,
  batchArrays,
  createBatchMemory,
  type LoaderArrays,
  type LoaderNotice,
  noteTimes,
  sampleArrays,
  totalTimes,
} from "./batches.ts";
import { nativeImageLibrary } from "../image/native_images.ts";
import { LoaderThreads, type MadeBatch, skippedNotice } from "./loader_threads.ts";
import { SampleWriter } from "./sample_writer.ts";

/** What to load. */
export interface LoaderOptions {
  /** Start of every random stream. */
  readonly seed: number;
  /** Samples of a batch. */
  readonly batchSize: number;
  /** First epoch that is not loaded any more. */
  readonly epochs: number;
  /** Epoch and step of the first batch, as a checkpoint holds them; the beginning. */
  readonly start?: { readonly epoch: number; readonly step: number };
  /** As many as the dataset's epoch fills. */
  readonly stepsPerEpoch?: number;
  /** Threads; 0 makes batches in this one, when they are asked for. */
  readonly workers?: number;
  /** Batches made ahead; 2. */
  readonly prefetch?: number;
  /** This process among those that share a step; 0 of 1. */
  readonly rank?: number;
  readonly worldSize?: number;
  /** Whether native code makes the pictures where it can; true. The batches are the same. */
  readonly native?: boolean;
  /** Seconds after which a worker that finishes nothing is replaced; 120. */
  readonly stallSeconds?: number;
  /** Module that workers run, instead of the loader's own. */
  readonly workerModule?: URL;
}

/** Steps of an epoch when nothing else is said: those that the dataset's samples fill. */
export function stepsPerEpoch(
  dataset: Pick<BANDataset, "samplesPerEpoch">,
  { batchSize, worldSize = 1 }: Pick<LoaderOptions, "batchSize" | "worldSize">,
): number {
  const steps = Math.floor(dataset.samplesPerEpoch / (batchSize * worldSize));
  if (steps > 0) return steps;
  throw new RangeError(
    `Cannot fill a batch of ${batchSize} on ${worldSize} rank(s) from ${dataset.samplesPerEpoch} pairs an epoch, ` +
      "lower training.batchSize or raise dataset.videosPerEpoch",
  );
}

/**
 * Loads batches from a position on. The batches are the same for any number of workers, with and
 * without native code, and whatever happens to workers.
 *
 * The arrays of a batch hold it until the next one is asked for. Leaving the loop ends the workers.
 *
 * @throws {SampleError} When a picture cannot be read and the dataset's policy is `fail`, in the turn
 * of its batch.
 * @throws {Error} When workers fail again and again.
 */
export async function* loadBatches(
  dataset: BANDataset,
  options: LoaderOptions,
): AsyncGenerator<Batch> {
  const { batchSize, rank = 0, worldSize = 1, workers = 0, prefetch = 2, native = true } = options;
  const steps = options.stepsPerEpoch ?? stepsPerEpoch(dataset, options);
  const schedule = { seed: options.seed, batchSize, stepsPerEpoch: steps, rank, worldSize };
  const { epoch, step } = options.start ?? { epoch: 0, step: 0 };
  const range = { start: epoch * steps + step, end: options.epochs * steps };
  const slots = workers === 0 ? 1 : prefetch + 1;
  // Why there is no native code is the backend's to tell; here nothing depends on it but the time.
  const library = native ? await nativeImageLibrary().catch(() => undefined) : undefined;
  using maker = workers === 0 ? new LocalMaker(dataset, schedule, library) : new LoaderThreads(
    dataset,
    {
      schedule,
      firstBatch: range.start,
      slots,
      workers,
      library,
      stallSeconds: options.stallSeconds ?? 120,
      module: options.workerModule ?? new URL("./loader_worker.ts", import.meta.url),
    },
  );
  for (let batch = range.start; batch < range.end; batch++) {
    const asked = performance.now();
    const { arrays, notices } = await maker.make(batch, Math.min(batch + slots, range.end));
    const { substitutes, times: _, ...numbers } = arrays;
    yield {
      ...batchPosition(schedule, batch),
      size: batchSize,
      ...numbers,
      provenance: Array.from(
        { length: batchSize },
        (_, place) =>
          dataset.pairAt(samplePosition(schedule, { batch, place }), substitutes[place]),
      ),
      waitSeconds: (performance.now() - asked) / 1000,
      notices,
      work: totalTimes(arrays),
    };
  }
}

/** Makes batches in this thread. */
class LocalMaker implements Disposable {
  readonly #writer: SampleWriter;
  readonly #schedule: BatchSchedule;
  readonly #arrays: LoaderArrays;

  constructor(dataset: BANDataset, schedule: BatchSchedule, library: string | undefined) {
    this.#writer = new SampleWriter(dataset, library);
    this.#schedule = schedule;
    const size = schedule.batchSize;
    const memory = createBatchMemory(dataset.options, { size, slots: 1 });
    this.#arrays = batchArrays(memory, dataset.options, { size, slot: 0 });
  }

  async make(batch: number): Promise<MadeBatch> {
    const size = this.#schedule.batchSize;
    const notices: LoaderNotice[] = [];
    for (let place = 0; place < size; place++) {
      const position = samplePosition(this.#schedule, { batch, place });
      const into = sampleArrays(this.#arrays, { size, index: place });
      const { skipped } = await this.#writer.write(position, into);
      this.#arrays.substitutes[place] = skipped.length;
      noteTimes(this.#arrays, place, this.#writer.times);
      notices.push(...skipped.map(skippedNotice));
    }
    return { arrays: this.#arrays, notices };
  }

  [Symbol.dispose](): void {
    this.#writer[Symbol.dispose]();
  }
}
