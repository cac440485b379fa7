import { join } from "@std/path";
import type { Sequence } from "../sequence.ts";
import { OTB_ATTRIBUTES, OTB_SEQUENCES } from "./otb_sequences.ts";
import {
  enter,
  framesFor,
  ifFound,
  pictureSize,
  publishedLengths,
  readTruth,
  type SequenceEntry,
} from "./sequence_files.ts";

/** Sequences whose first box belongs to a later picture, counted from 1 (the benchmark's list). */
const FIRST_PICTURE: Readonly<Record<string, number>> = { David: 300 };

/**
 * Reads OTB: a video is a folder with `groundtruth_rect.txt` (`groundtruth_rect.2.txt` for a second
 * target) and its pictures in `img`.
 *
 * Boxes stay as they stand, the first pixel being 1: trackers are given and compared with the same
 * numbers in all toolkits.
 */
export function readOtb(edition: keyof typeof OTB_SEQUENCES) {
  return async function* (root: string): AsyncGenerator<SequenceEntry> {
    for (const name of OTB_SEQUENCES[edition]) yield await enter(name, () => readVideo(root, name));
  };
}

async function readVideo(root: string, name: string): Promise<Sequence> {
  const [, video, target] = /^(.*?)(?:-(\d))?$/.exec(name)!;
  const folder = join(root, video);
  const truth = target === undefined
    ? await readTruth(join(folder, "groundtruth_rect.txt"))
    : await readTargetTruth(folder, target);
  const frames = await framesFor(join(folder, "img"), truth.length, {
    start: FIRST_PICTURE[video],
  });
  const attributes = OTB_ATTRIBUTES.get(name) ?? [];
  const size = await pictureSize(frames[0]);
  return { name, frames, truth, attributes, size, ...publishedLengths(name) };
}

/** Some copies name the only target's file without a number. */
async function readTargetTruth(folder: string, target: string) {
  return await ifFound(readTruth(join(folder, `groundtruth_rect.${target}.txt`))) ??
    await readTruth(join(folder, "groundtruth_rect.txt"));
}
