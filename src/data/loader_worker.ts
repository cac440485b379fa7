/** Writes samples into shared batches on a thread of its own; see loader.ts. */
import { BANDataset, type BANDatasetData, type SampleArrays, SampleError } from "./ban_dataset.ts";
import { type BatchSchedule, samplePosition } from "./batch_schedule.ts";
import { batchArrays, sampleArrays } from "./batches.ts";
import { WorkQueue } from "./work_queue.ts";

/** What the worker is told first. A message without content follows when there are new tickets. */
export interface LoaderSetup {
  readonly dataset: BANDatasetData;
  readonly schedule: BatchSchedule;
  /** Batch that the queue counts as its first. */
  readonly firstBatch: number;
  readonly memory: SharedArrayBuffer;
  readonly queue: SharedArrayBuffer;
  readonly slots: number;
}

/** What the worker says: a batch is whole, or a sample of it has failed. */
export interface LoaderNews {
  readonly batch: number;
  readonly failure?: LoaderFailure;
}

/** Why a sample could not be made. */
export interface LoaderFailure {
  /** Of the sample in its batch. */
  readonly place: number;
  readonly message: string;
  /** The picture, if one is the reason. */
  readonly path?: string;
}

const scope = self as unknown as Worker;
let work: (() => Promise<void>) | undefined;

scope.onmessage = ({ data }: MessageEvent<LoaderSetup | null>) => {
  if (data) work = createWork(data);
  work?.();
};

function createWork({ dataset: data, schedule, firstBatch, ...rest }: LoaderSetup) {
  const dataset = new BANDataset(data);
  const { batchSize } = schedule;
  const queue = new WorkQueue({ batchSize, slots: rest.slots, memory: rest.queue });
  const placeOf = (batch: number, place: number): SampleArrays => {
    const slot = { size: batchSize, slot: batch % rest.slots };
    const arrays = batchArrays(rest.memory, data.options, slot);
    return sampleArrays(arrays, { size: batchSize, index: place });
  };
  let working = false;
  return async () => {
    // Tickets are allowed before the message is sent: whoever works finds them without it.
    if (working) return;
    working = true;
    for (let ticket = queue.take(); ticket; ticket = queue.take()) {
      const { batch, place } = ticket;
      const news = (failure?: LoaderFailure) => scope.postMessage({ batch, failure });
      let failed = false;
      try {
        const position = samplePosition(schedule, { batch: firstBatch + batch, place });
        await dataset.writeSample(position, placeOf(batch, place));
      } catch (error) {
        failed = true;
        news({ place, ...describe(error) });
      }
      if (queue.finish(batch, failed)) news();
    }
    working = false;
  };
}

function describe(error: unknown): Omit<LoaderFailure, "place"> {
  if (error instanceof SampleError) return { message: error.message, path: error.path };
  return { message: error instanceof Error ? error.message : String(error) };
}
