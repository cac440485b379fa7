/** Small prepared sets for tests. */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { BANDataset, type PairOptions } from "../../src/data/ban_dataset.ts";
import { POINT_COUNTS } from "../../src/data/labels.ts";
import { prepare, type PrepareOptions, type PrepareReport } from "../../src/data/prepare.ts";
import { readSynthetic } from "../../src/data/readers/synthetic.ts";
import { isFault, type RawItem, type Track } from "../../src/data/track.ts";

/** A folder that goes away at the end of the test. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** SHA-256 of all files below a folder, by path. */
export async function contentOf(folder: string, below = ""): Promise<Map<string, string>> {
  const content = new Map<string, string>();
  for await (const entry of Deno.readDir(join(folder, below))) {
    const path = join(below, entry.name);
    if (entry.isDirectory) {
      (await contentOf(folder, path)).forEach((hash, key) => content.set(key, hash));
      continue;
    }
    const bytes = await Deno.readFile(join(folder, path));
    content.set(path, createHash("sha256").update(bytes).digest("hex"));
  }
  return content;
}

/** All tracks of a reader, which must meet no fault. */
export async function allTracks(items: AsyncIterable<RawItem>): Promise<Track[]> {
  const tracks: Track[] = [];
  for await (const item of items) {
    if (isFault(item)) throw new Error(item.reason);
    tracks.push(item);
  }
  return tracks;
}

/** What a reader finds, tracks and faults apart. */
export async function sortedItems(items: AsyncIterable<RawItem>) {
  const all = await Array.fromAsync(items);
  const tracks = all.filter((item): item is Track => !isFault(item));
  return { tracks, faults: all.filter(isFault) };
}

/** Prepares and gives the last report. */
export async function prepareAll(options: PrepareOptions): Promise<PrepareReport> {
  const reports = await Array.fromAsync(prepare(options));
  return reports.at(-1)!;
}

/** Prepares some drawn videos in this thread. */
export function prepareDemo(out: string, size: { videos: number; frames: number; seed?: number }) {
  return prepareAll({ tracks: () => readSynthetic(size), out, workers: 0 });
}

export const PAIR_OPTIONS: PairOptions = {
  template: { shift: 4, scale: 0.05, blur: 0, flip: 0, color: 1 },
  search: { shift: 64, scale: 0.18, blur: 0.2, flip: 0.5, color: 1 },
  neg: 0.2,
  gray: 0.1,
  videosPerEpoch: 20,
  exemplarSize: 127,
  searchSize: 255,
  scoreSize: 25,
  stride: 8,
  counts: POINT_COUNTS,
};

/** Opens a prepared folder. */
export function openDemo(folder: string, options: Partial<PairOptions> = {}): BANDataset {
  const set = { name: "DEMO", root: `${folder}/crop511`, anno: `${folder}/train.json` };
  return BANDataset.open([{ ...set, frameRange: 100, numUse: -1 }], {
    ...PAIR_OPTIONS,
    ...options,
  });
}
