import {
  type BANDataset,
  loadBatches,
  openDataset,
  parseExperiment,
  prepare,
  TRACK_READERS,
} from "../../mod.ts";

/**
 * Times the loader on prepared drawn videos, decoding and augmentation included.
 *
 * @param workers Threads; 0 for this one.
 * @returns Pairs a second.
 */
export async function timeLoader(
  dataset: BANDataset,
  { workers, batches }: { readonly workers: number; readonly batches: number },
): Promise<number> {
  const batchSize = 8;
  const options = { seed: 1, batchSize, epochs: 1, stepsPerEpoch: batches + 2, workers };
  let count = -2; // the first batches start the threads
  let start = 0;
  for await (const _ of loadBatches(dataset, options)) {
    if (++count === 0) start = performance.now();
  }
  return count * batchSize / ((performance.now() - start) / 1000);
}

/** Prepares a few drawn videos in a folder and opens them with the published augmentation. */
export async function openBenchData(folder: string): Promise<BANDataset> {
  const tracks = () => TRACK_READERS.synthetic({ videos: 10, frames: 20 });
  for await (const _ of prepare({ tracks, out: folder }));
  return openDataset(parseExperiment({
    dataset: {
      names: ["DEMO"],
      sets: { DEMO: { root: `${folder}/crop511`, anno: `${folder}/train.json` } },
      videosPerEpoch: 100000,
    },
  }));
}
