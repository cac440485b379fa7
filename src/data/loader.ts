/**
 * Batches as a stream: made ahead on worker threads, in shared memory, delivered in order.
 *
 * @module
 */
import { type BANDataset, SampleError } from "./ban_dataset.ts";
import { batchPosition, type BatchSchedule, samplePosition } from "./batch_schedule.ts";
import {
  type Batch,
  type BatchArrays,
  batchArrays,
  createBatchMemory,
  sampleArrays,
} from "./batches.ts";
import type { LoaderFailure, LoaderNews, LoaderSetup } from "./loader_worker.ts";
import { WorkQueue } from "./work_queue.ts";

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
 * Loads batches from a position on. The batches are the same for any number of workers.
 *
 * The arrays of a batch hold it until the next one is asked for. Leaving the loop ends the workers.
 *
 * @throws {SampleError} When a picture cannot be read, in the turn of its batch.
 * @throws {Error} When a worker fails.
 */
export async function* loadBatches(
  dataset: BANDataset,
  options: LoaderOptions,
): AsyncGenerator<Batch> {
  const { batchSize, rank = 0, worldSize = 1, workers = 0, prefetch = 2 } = options;
  const steps = options.stepsPerEpoch ?? stepsPerEpoch(dataset, options);
  const schedule = { seed: options.seed, batchSize, stepsPerEpoch: steps, rank, worldSize };
  const { epoch, step } = options.start ?? { epoch: 0, step: 0 };
  const range = { start: epoch * steps + step, end: options.epochs * steps };
  const slots = workers === 0 ? 1 : prefetch + 1;
  using maker = workers === 0
    ? new LocalMaker(dataset, schedule)
    : new ThreadMaker(dataset, { schedule, firstBatch: range.start, slots, workers });
  for (let batch = range.start; batch < range.end; batch++) {
    const asked = performance.now();
    const ahead = Math.min(batch + slots, range.end);
    const arrays = await maker.make(batch, ahead);
    yield {
      ...batchPosition(schedule, batch),
      size: batchSize,
      ...arrays,
      provenance: Array.from(
        { length: batchSize },
        (_, place) => dataset.pairAt(samplePosition(schedule, { batch, place })),
      ),
      waitSeconds: (performance.now() - asked) / 1000,
    };
  }
}

/** Makes batches in this thread. */
class LocalMaker implements Disposable {
  readonly #dataset: BANDataset;
  readonly #schedule: BatchSchedule;
  readonly #arrays: BatchArrays;

  constructor(dataset: BANDataset, schedule: BatchSchedule) {
    this.#dataset = dataset;
    this.#schedule = schedule;
    const size = schedule.batchSize;
    const memory = createBatchMemory(dataset.options, { size, slots: 1 });
    this.#arrays = batchArrays(memory, dataset.options, { size, slot: 0 });
  }

  async make(batch: number): Promise<BatchArrays> {
    const size = this.#schedule.batchSize;
    for (let place = 0; place < size; place++) {
      const position = samplePosition(this.#schedule, { batch, place });
      await this.#dataset.writeSample(position, sampleArrays(this.#arrays, { size, index: place }));
    }
    return this.#arrays;
  }

  [Symbol.dispose](): void {}
}

/** Has batches made by worker threads. */
class ThreadMaker implements Disposable {
  readonly #threads: readonly Worker[];
  readonly #queue: WorkQueue;
  readonly #arrays: readonly BatchArrays[];
  readonly #firstBatch: number;
  readonly #failures = new Map<number, LoaderFailure[]>();
  #crash?: Error;
  #wake?: () => void;

  constructor(
    dataset: BANDataset,
    { schedule, firstBatch, slots, workers }: {
      schedule: BatchSchedule;
      firstBatch: number;
      slots: number;
      workers: number;
    },
  ) {
    const size = schedule.batchSize;
    const memory = createBatchMemory(dataset.options, { size, slots });
    this.#arrays = Array.from(
      { length: slots },
      (_, slot) => batchArrays(memory, dataset.options, { size, slot }),
    );
    this.#queue = new WorkQueue({ batchSize: size, slots });
    this.#firstBatch = firstBatch;
    const queue = this.#queue.memory;
    const setup: LoaderSetup = {
      dataset: dataset.data,
      schedule,
      firstBatch,
      memory,
      queue,
      slots,
    };
    this.#threads = Array.from({ length: workers }, () => this.#start(setup));
  }

  #start(setup: LoaderSetup): Worker {
    const thread = new Worker(new URL("./loader_worker.ts", import.meta.url), { type: "module" });
    thread.onmessage = ({ data }: MessageEvent<LoaderNews>) => {
      const { batch, failure } = data;
      if (failure) this.#failures.set(batch, [...this.#failures.get(batch) ?? [], failure]);
      this.#wake?.();
    };
    thread.onerror = (event) => {
      event.preventDefault(); // else the error ends the process as well
      this.#crash = new Error(`Cannot load batches: a worker failed: ${event.message}`);
      this.#wake?.();
    };
    thread.postMessage(setup);
    return thread;
  }

  /** Waits for a batch, after its predecessor's slot went back to work. */
  async make(number: number, ahead: number): Promise<BatchArrays> {
    const batch = number - this.#firstBatch;
    if (batch > 0) this.#queue.clear(batch - 1);
    this.#queue.allowUntil(ahead - this.#firstBatch);
    for (const thread of this.#threads) thread.postMessage(null);
    for (;;) {
      if (this.#crash) throw this.#crash;
      const { complete, failed } = this.#queue.state(batch);
      const failures = this.#failures.get(batch) ?? [];
      if (complete && failed === 0) return this.#arrays[batch % this.#arrays.length];
      if (complete && failures.length === failed) throw toError(failures);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  [Symbol.dispose](): void {
    for (const thread of this.#threads) thread.terminate();
  }
}

/** The failure of the first sample in the batch, whichever thread met its own first. */
function toError(failures: readonly LoaderFailure[]): Error {
  const [{ message, path }] = failures.toSorted((a, b) => a.place - b.place);
  return path === undefined ? new Error(message) : new SampleError(message, path);
}
