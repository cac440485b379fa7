import type { BANDataset } from "./ban_dataset.ts";
import { type BatchSchedule, samplePosition } from "./batch_schedule.ts";
import { batchArrays, createBatchMemory, type LoaderArrays, type LoaderNotice } from "./batches.ts";
import type { LoaderNews, LoaderSetup } from "./loader_worker.ts";
import { SampleError, type SkippedPicture } from "./sample_writer.ts";
import { type Ticket, WorkQueue } from "./work_queue.ts";

/** A batch as it comes from a maker. */
export interface MadeBatch {
  readonly arrays: LoaderArrays;
  readonly notices: readonly LoaderNotice[];
}

/** What {@linkcode LoaderThreads} are built from. */
export interface LoaderThreadsOptions {
  readonly schedule: BatchSchedule;
  /** First batch that is asked for. */
  readonly firstBatch: number;
  /** Batches held at once. */
  readonly slots: number;
  readonly workers: number;
  /** Path of the native image library, if there is one. */
  readonly library?: string;
  /** A worker that finishes nothing for so long while its batch is waited for is replaced. */
  readonly stallSeconds: number;
  /** Module that the threads run. */
  readonly module: URL;
}

/** Deaths of workers over one sample, or without one, that end the loading. */
const MOST_DEATHS = 3;

/** Extra patience with a worker that still loads its modules. */
const START_SECONDS = 60;

/** What workers told of a batch, by sample. */
interface Told {
  readonly skipped: Map<number, readonly SkippedPicture[]>;
  readonly failures: Map<number, Required<LoaderNews>["failure"]>;
}

/** Has batches made by worker threads in shared memory; replaces threads that die or stall. */
export class LoaderThreads implements Disposable {
  readonly #dataset: BANDataset;
  readonly #options: LoaderThreadsOptions;
  readonly #queue: WorkQueue;
  readonly #arrays: readonly LoaderArrays[];
  readonly #setup: Omit<LoaderSetup, "worker">;
  readonly #threads: Worker[] = [];
  readonly #told = new Map<number, Told>();
  readonly #deaths = new Map<string, number>();
  /** Workers that have not yet said that they are there. */
  readonly #starting = new Set<number>();
  #replaced: LoaderNotice[] = [];
  #crash?: Error;
  #wake?: () => void;

  constructor(dataset: BANDataset, options: LoaderThreadsOptions) {
    const { schedule, firstBatch, slots, workers, library } = options;
    const size = schedule.batchSize;
    const memory = createBatchMemory(dataset.options, { size, slots });
    this.#dataset = dataset;
    this.#options = options;
    this.#arrays = Array.from(
      { length: slots },
      (_, slot) => batchArrays(memory, dataset.options, { size, slot }),
    );
    this.#queue = new WorkQueue({ batchSize: size, slots });
    const queue = this.#queue.memory;
    this.#setup = { dataset: dataset.data, library, schedule, firstBatch, memory, queue, slots };
    for (let worker = 1; worker <= workers; worker++) this.#threads.push(this.#start(worker));
  }

  #start(worker: number): Worker {
    const thread = new Worker(this.#options.module, { type: "module" });
    this.#starting.add(worker);
    thread.onmessage = ({ data }: MessageEvent<LoaderNews | "ready">) => {
      if (data === "ready") this.#starting.delete(worker);
      else this.#hear(data);
      this.#wake?.();
    };
    thread.onerror = (event) => {
      event.preventDefault(); // else the error ends the process as well
      if (this.#threads[worker - 1] !== thread) return;
      this.#replace(worker, `ended with "${event.message}"`);
      this.#wake?.();
    };
    thread.postMessage({ ...this.#setup, worker } satisfies LoaderSetup);
    return thread;
  }

  #hear({ ticket: { batch, place }, skipped, failure }: LoaderNews): void {
    const told = this.#told.get(batch) ?? { skipped: new Map(), failures: new Map() };
    this.#told.set(batch, told);
    if (skipped) told.skipped.set(place, skipped);
    if (failure) told.failures.set(place, failure);
  }

  /**
   * Waits for a batch, after its predecessor's slot went back to work.
   *
   * @param ahead First batch that is not to be made yet.
   */
  async make(number: number, ahead: number): Promise<MadeBatch> {
    const { firstBatch, slots } = this.#options;
    const batch = number - firstBatch;
    if (batch > 0) {
      this.#queue.release(batch - 1);
      this.#told.delete(batch - 1);
    }
    this.#queue.allowUntil(ahead - firstBatch);
    for (const thread of this.#threads) thread.postMessage(null);
    await this.#complete(batch);
    const { skipped, failures } = this.#told.get(batch) ?? {};
    if (failures?.size) throw toError(failures);
    const notices = [...byPlace(skipped).flat().map(skippedNotice), ...this.#replaced];
    this.#replaced = [];
    return { arrays: this.#arrays[batch % slots], notices };
  }

  /** Waits until all samples of a batch are made, and all that workers tell of them is heard. */
  async #complete(batch: number): Promise<void> {
    let before = "", since = 0;
    while (!this.#isHeard(batch)) {
      if (this.#crash) throw this.#crash;
      const { left } = this.#queue.state(batch), starting = this.#starting.size;
      const now = `${left} ${starting}`;
      if (now !== before) [before, since] = [now, performance.now()];
      const seconds = this.#options.stallSeconds + (starting > 0 ? START_SECONDS : 0);
      const patience = 1000 * seconds - (performance.now() - since);
      if (patience <= 0) {
        this.#replaceIdle();
        since = performance.now();
      } else await this.#news(patience);
    }
  }

  #isHeard(batch: number): boolean {
    const { left, failed } = this.#queue.state(batch);
    if (left > 0) return false;
    const { substitutes } = this.#arrays[batch % this.#options.slots];
    const { skipped, failures } = this.#told.get(batch) ?? {};
    return (failures?.size ?? 0) >= failed &&
      substitutes.every((count, place) => count === 0 || skipped?.has(place));
  }

  /** Waits for word from a worker, or some milliseconds. */
  async #news(patience: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, patience);
    await promise;
    clearTimeout(timer);
  }

  /** While a batch is waited for, a worker with nothing finished has stalled or is gone. */
  #replaceIdle(): void {
    const { stallSeconds } = this.#options;
    const stalled = this.#threads.map((_, i) => i + 1)
      .filter((worker) => this.#queue.claimedBy(worker).length > 0);
    // No claims and yet open samples: threads that ended without a word.
    for (const worker of stalled.length > 0 ? stalled : this.#threads.map((_, i) => i + 1)) {
      this.#replace(worker, `finished nothing for ${stallSeconds} s`);
    }
  }

  /** Puts another thread in a worker's place, which does its samples again. */
  #replace(worker: number, reason: string): void {
    const claimed = this.#queue.claimedBy(worker);
    const what = claimed.map((ticket) => this.#describe(ticket)).join(", ") || "no sample";
    const message = `worker ${worker} ${reason}, at work on ${what}`;
    for (const key of claimed.length > 0 ? claimed.map(ticketKey) : ["none"]) {
      const deaths = (this.#deaths.get(key) ?? 0) + 1;
      this.#deaths.set(key, deaths);
      if (deaths === MOST_DEATHS) {
        this.#crash = new Error(`Cannot load batches: ${message}, ${deaths} times now`);
      }
    }
    this.#threads[worker - 1].terminate();
    if (this.#crash) return;
    this.#queue.reopen(worker);
    this.#threads[worker - 1] = this.#start(worker);
    this.#replaced.push({ kind: "replaced", message: `${message}; another one takes its place` });
  }

  #describe({ batch, place }: Ticket): string {
    const { schedule, firstBatch } = this.#options;
    const position = samplePosition(schedule, { batch: firstBatch + batch, place });
    const { template, search } = this.#dataset.pairAt(position);
    const { epoch, index } = position;
    return `sample ${index} of epoch ${epoch} ("${template.path}" and "${search.path}")`;
  }

  [Symbol.dispose](): void {
    for (const thread of this.#threads) thread.terminate();
  }
}

function ticketKey({ batch, place }: Ticket): string {
  return `${batch}.${place}`;
}

function byPlace<T>(told: ReadonlyMap<number, T> = new Map()): T[] {
  return [...told].sort(([a], [b]) => a - b).map(([, value]) => value);
}

/** As a notice. */
export function skippedNotice(picture: SkippedPicture): LoaderNotice {
  return { kind: "skipped", ...picture };
}

/** The failure of the first sample in the batch, whichever thread met its own first. */
function toError(failures: Told["failures"]): Error {
  const [{ message, path }] = byPlace(failures);
  return path === undefined ? new Error(message) : new SampleError(message, path);
}
