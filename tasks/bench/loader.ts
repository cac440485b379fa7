import { cpuUsage } from "node:process";
import {
  type BANDataset,
  loadBatches,
  openDataset,
  parseExperiment,
  prepare,
  type SampleTimes,
  TRACK_READERS,
} from "../../mod.ts";

/** A prepared set to load from. */
export interface BenchData {
  readonly dataset: BANDataset;
  readonly root: string;
  readonly anno: string;
}

/** How fast a loader was. */
export interface LoaderSpeed {
  /** Pairs a second. */
  readonly rate: number;
  /** Pairs a second of processor time, of all its threads together. */
  readonly cpuRate: number;
}

/** How fast ours was, and what a pair took. */
export interface OwnLoaderSpeed extends LoaderSpeed {
  /** Thread milliseconds a pair. */
  readonly work: SampleTimes;
}

const BATCH = 8;

/**
 * Times the loader, reading, decoding and augmentation included.
 *
 * @param options.workers Threads; 0 for this one.
 * @param options.native Whether native code may make the pictures.
 */
export async function timeLoader(
  dataset: BANDataset,
  { batches, ...options }: {
    readonly workers: number;
    readonly batches: number;
    readonly native?: boolean;
  },
): Promise<OwnLoaderSpeed> {
  const work = { read: 0, decode: 0, augment: 0, label: 0 };
  const all = { seed: 1, batchSize: BATCH, epochs: 1, stepsPerEpoch: batches + 4, ...options };
  let count = -4; // the first batches start the threads
  let start = 0, cpu = cpuUsage();
  for await (const batch of loadBatches(dataset, all)) {
    if (++count === 0) [start, cpu] = [performance.now(), cpuUsage()];
    if (count <= 0) continue;
    for (const part of Object.keys(work) as (keyof SampleTimes)[]) {
      work[part] += batch.work[part] / (batches * BATCH);
    }
  }
  const { user, system } = cpuUsage(cpu);
  const pairs = batches * BATCH;
  return {
    rate: pairs / ((performance.now() - start) / 1000),
    cpuRate: pairs / ((user + system) / 1e6),
    work,
  };
}

/**
 * Times the same work in Python with OpenCV; undefined where there is none.
 *
 * @param pairs How many; more make the figure steadier.
 */
export async function timeOpenCv(
  { root, anno }: BenchData,
  pairs: number,
): Promise<LoaderSpeed | undefined> {
  const script = new URL("./loader_peer.py", import.meta.url).pathname;
  for (const python of [Deno.env.get("PYTHON") ?? "python3", "/usr/bin/python3"]) {
    try {
      const args = [script, root, anno, String(pairs)];
      const { success, stdout } = await new Deno.Command(python, { args, stderr: "null" }).output();
      if (!success) continue; // no OpenCV
      const { seconds, cpuSeconds } = JSON.parse(new TextDecoder().decode(stdout));
      return { rate: pairs / seconds, cpuRate: pairs / cpuSeconds };
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Prepares a few drawn videos in a folder and opens them. */
export async function drawBenchData(folder: string): Promise<BenchData> {
  const tracks = () => TRACK_READERS.synthetic({ videos: 10, frames: 20 });
  for await (const _ of prepare({ tracks, out: folder }));
  return openBenchData(folder);
}

/** Opens a prepared folder with the published augmentation. */
export function openBenchData(folder: string): BenchData {
  const [root, anno] = [`${folder}/crop511`, `${folder}/train.json`];
  const dataset = openDataset(parseExperiment({
    dataset: {
      names: ["BENCH"],
      sets: { BENCH: { root, anno } },
      search: { blur: 0.2 },
      videosPerEpoch: 100000,
    },
  }));
  return { dataset, root, anno };
}
