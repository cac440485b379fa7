/** Writes samples into shared batches on a thread of its own; see loader_threads.ts. */
import { BANDataset, type BANDatasetData } from "./ban_dataset.ts";
import { type BatchSchedule, samplePosition } from "./batch_schedule.ts";
import { batchArrays, noteTimes, sampleArrays } from "./batches.ts";
import { SampleError, SampleWriter, type SkippedPicture } from "./sample_writer.ts";
import { type Ticket, WorkQueue } from "./work_queue.ts";

/** What the worker is told first. A message without content follows when there is new work. */
export interface LoaderSetup {
  /** Number of the worker, from 1. */
  readonly worker: number;
  readonly dataset: BANDatasetData;
  /** Path of the native image library, if there is one. */
  readonly library?: string;
  readonly schedule: BatchSchedule;
  /** Batch that the queue counts as its first. */
  readonly firstBatch: number;
  readonly memory: SharedArrayBuffer;
  readonly queue: SharedArrayBuffer;
  readonly slots: number;
}

/** What the worker says of a sample, or that a batch is complete. */
export interface LoaderNews {
  readonly ticket: Ticket;
  /** Pictures that the sample did without. */
  readonly skipped?: readonly SkippedPicture[];
  /** Why the sample could not be made. */
  readonly failure?: LoaderFailure;
}

/** Why a sample could not be made. */
export interface LoaderFailure {
  readonly message: string;
  /** The picture, if one is the reason. */
  readonly path?: string;
}

const scope = self as unknown as Worker;
let work: (() => Promise<void>) | undefined;

scope.onmessage = ({ data }: MessageEvent<LoaderSetup | null>) => {
  if (data) {
    work = createWork(data);
    scope.postMessage("ready");
  }
  work?.();
};

function createWork(setup: LoaderSetup) {
  const { worker, schedule, slots } = setup;
  const make = sampleMaker(setup);
  const queue = new WorkQueue({ batchSize: schedule.batchSize, slots, memory: setup.queue });
  let working = false;
  return async () => {
    // Work is allowed before the message is sent: whoever works finds it without.
    if (working) return;
    working = true;
    for (let ticket = queue.take(worker); ticket; ticket = queue.take(worker)) {
      const news = await make(ticket);
      if (news.failure || news.skipped) scope.postMessage(news);
      if (queue.finish(ticket, news.failure !== undefined)) scope.postMessage({ ticket });
    }
    working = false;
  };
}

function sampleMaker({ dataset: data, library, schedule, firstBatch, memory, slots }: LoaderSetup) {
  const writer = new SampleWriter(new BANDataset(data), library);
  const size = schedule.batchSize;
  return async (ticket: Ticket): Promise<LoaderNews> => {
    const { batch, place } = ticket;
    const arrays = batchArrays(memory, data.options, { size, slot: batch % slots });
    const position = samplePosition(schedule, { batch: firstBatch + batch, place });
    try {
      const into = sampleArrays(arrays, { size, index: place });
      const { skipped } = await writer.write(position, into);
      arrays.substitutes[place] = skipped.length;
      noteTimes(arrays, place, writer.times);
      return skipped.length > 0 ? { ticket, skipped } : { ticket };
    } catch (error) {
      arrays.substitutes[place] = 0;
      return { ticket, failure: describe(error) };
    }
  };
}

function describe(error: unknown): LoaderFailure {
  if (error instanceof SampleError) return { message: error.message, path: error.path };
  return { message: error instanceof Error ? error.message : String(error) };
}
