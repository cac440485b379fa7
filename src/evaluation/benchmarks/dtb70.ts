import { join } from "@std/path";
import type { Sequence } from "../sequence.ts";
import {
  enter,
  framesFor,
  listFolders,
  pictureSize,
  readTruth,
  type SequenceEntry,
} from "./sequence_files.ts";

/**
 * Reads DTB70 (Li and Yeung, AAAI 2017): `<sequence>/groundtruth_rect.txt` with the pictures in
 * `<sequence>/img`. Its attributes are published apart; pysot-style annotations have them.
 */
export async function* readDtb70(root: string): AsyncGenerator<SequenceEntry> {
  for (const name of await listFolders(root)) {
    yield await enter(name, () => readVideo(join(root, name), name));
  }
}

async function readVideo(folder: string, name: string): Promise<Sequence> {
  const truth = await readTruth(join(folder, "groundtruth_rect.txt"));
  const frames = await framesFor(join(folder, "img"), truth.length);
  return { name, frames, truth, attributes: [], size: await pictureSize(frames[0]) };
}
