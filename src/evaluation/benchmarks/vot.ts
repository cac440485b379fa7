import { join } from "@std/path";
import type { Sequence } from "../sequence.ts";
import {
  enter,
  framesFor,
  ifFound,
  listFolders,
  listPictures,
  pictureSize,
  readNames,
  readOptionalLabels,
  readTruth,
  type SequenceEntry,
} from "./sequence_files.ts";

/** Tags of frames, in the order of pysot's tables. */
export const VOT_TAGS = [
  "camera_motion",
  "illum_change",
  "motion_change",
  "size_change",
  "occlusion",
] as const;

/**
 * Reads VOT, short-term or long-term: `list.txt` names the sequences (else every folder with
 * `groundtruth.txt` is one), here or in `sequences`; pictures lie in `color`, or beside the truth
 * (before VOT2018); tags in `<tag>.tag` or `<tag>.label`.
 *
 * Regions are polygons or boxes, the first pixel being 0; a line of NaN is a frame without target.
 */
export async function* readVot(root: string): AsyncGenerator<SequenceEntry> {
  const nested = join(root, "sequences");
  const isNested = await ifFound(Deno.stat(nested)) !== undefined;
  const folder = isNested ? nested : root;
  const listed = await ifFound(readNames(join(folder, "list.txt")));
  for (const name of listed ?? await listFolders(folder)) {
    const entry = await enter(name, () => readVideo(join(folder, name), name));
    // Without a list, a folder that holds no truth is something else.
    if (entry.kind === "sequence" || listed) yield entry;
  }
}

async function readVideo(folder: string, name: string): Promise<Sequence> {
  const truth = await readTruth(join(folder, "groundtruth.txt"));
  const inColor = await ifFound(listPictures(join(folder, "color"))) ?? [];
  const frames = await framesFor(inColor.length > 0 ? join(folder, "color") : folder, truth.length);
  return {
    name,
    frames,
    truth,
    attributes: [],
    size: await pictureSize(frames[0]),
    tags: await readTags(folder),
  };
}

async function readTags(folder: string): Promise<Sequence["tags"]> {
  const tags: Record<string, number[]> = {};
  for (const tag of VOT_TAGS) {
    const marks = await readOptionalLabels(join(folder, `${tag}.tag`)) ??
      await readOptionalLabels(join(folder, `${tag}.label`));
    if (marks) tags[tag] = marks;
  }
  return Object.keys(tags).length > 0 ? tags : undefined;
}
