import { join } from "@std/path";
import type { Sequence } from "../sequence.ts";
import {
  enter,
  ifFound,
  listPictures,
  pictureSize,
  readTruth,
  type SequenceEntry,
} from "./sequence_files.ts";

/**
 * Reads TrackingNet (Müller et al., ECCV 2018): a part such as `TEST`, or the folder above, whose
 * `TEST` is taken; truth in `anno/<sequence>.txt`, pictures in `frames/<sequence>`. The truth of the
 * test set is but its first box.
 */
export async function* readTrackingNet(root: string): AsyncGenerator<SequenceEntry> {
  const isPart = await ifFound(Deno.stat(join(root, "anno"))) !== undefined;
  const part = isPart ? root : join(root, "TEST");
  const names: string[] = [];
  for await (const { name } of Deno.readDir(join(part, "anno"))) {
    if (name.endsWith(".txt")) names.push(name.slice(0, -".txt".length));
  }
  for (const name of names.sort()) yield await enter(name, () => readVideo(part, name));
}

async function readVideo(part: string, name: string): Promise<Sequence> {
  const truth = await readTruth(join(part, "anno", `${name}.txt`));
  const frames = await ifFound(listPictures(join(part, "frames", name))) ?? [];
  if (truth.length > 1 && frames.length > 0 && frames.length < truth.length) {
    throw new RangeError(
      `Cannot use "${name}": found ${frames.length} pictures, expected ${truth.length}`,
    );
  }
  return { name, frames, truth, attributes: [], size: await pictureSize(frames[0]) };
}
