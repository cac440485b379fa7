import { join } from "@std/path";
import { readBoxLines } from "../box_file.ts";
import { listFrames } from "../../image/frames.ts";
import type { RawItem, Track, TrackFrame, TrackReaderOptions } from "../track.ts";
import {
  findFoldersWith,
  isThere,
  locateRoot,
  pairWithBoxes,
  surplusPictures,
  toFault,
  videoName,
} from "./folders.ts";
import { isLasotTest } from "./lasot_testing_set.ts";
import { publishedFrames, readFlags, truncate } from "./truncated_boxes.ts";

/**
 * LaSOT (arXiv:1809.07845): a video is a folder with `groundtruth.txt` and its pictures in `img`,
 * named by its path below the root, such as `airplane/airplane-1`. The videos that
 * `testing_set.txt` lists are for validation; without that file, those of the published list.
 *
 * Boxes are `left,top,width,height`. Parity: numbers are cut to integers and taken as they stand,
 * frames count from 0 although file names count from 1, and a box that is not wholly inside the
 * picture is refused (training_dataset/lasot/parse_lasot.py and gen_json.py).
 */
export async function* readLasot(options: TrackReaderOptions): AsyncGenerator<RawItem> {
  const { asPublished = false, skipFlagged = false } = options;
  const root = await locateLasot(options.root);
  const listed = await readTestingSet(root);
  for await (const { folder } of findFoldersWith(root, (name) => name === "groundtruth.txt")) {
    const video = videoName(root, folder);
    const base = video.split("/").at(-1)!;
    const isVal = listed ? listed.has(base) : isLasotTest(base);
    const name = { video, id: "00", split: isVal ? "val" : "train" } as const;
    try {
      if (asPublished) yield await publishedTrack(name, folder);
      else yield* readTrack(name, folder, skipFlagged);
    } catch (error) {
      yield toFault(`${folder}/groundtruth.txt`, error);
    }
  }
}

/** The folder with `testing_set.txt`: `root` or one in it; else `root`. */
export async function locateLasot(root: string): Promise<string> {
  return await locateRoot(root, (folder) => isThere(join(folder, "testing_set.txt"))) ?? root;
}

async function readTestingSet(root: string): Promise<Set<string> | undefined> {
  const path = join(root, "testing_set.txt");
  if (!await isThere(path)) return undefined;
  return new Set((await Deno.readTextFile(path)).split(/\r\n|\n|\r/));
}

async function* readTrack(
  name: { video: string; id: string; split: "train" | "val" },
  folder: string,
  skipFlagged: boolean,
): AsyncGenerator<RawItem> {
  const boxFile = `${folder}/groundtruth.txt`;
  const lines = (await readBoxLines(boxFile)).map(truncate);
  const inFolder = await listFrames(`${folder}/img`).catch(() => []);
  const pictures = inFolder.length > 0 ? inFolder : await listFrames(folder);
  const frames = pairWithBoxes(pictures, lines, boxFile);
  const used = skipFlagged ? await refuseFlagged(frames, folder) : frames;
  yield { ...name, boxRule: "inside", frames: used };
  yield* surplusPictures(pictures, lines, boxFile);
}

async function refuseFlagged(frames: TrackFrame[], folder: string): Promise<TrackFrame[]> {
  const hidden = await readFlags(`${folder}/full_occlusion.txt`);
  const away = await readFlags(`${folder}/out_of_view.txt`);
  return frames.map((frame) => {
    if (hidden[frame.number]) return { ...frame, refused: "the target is occluded" };
    return away[frame.number] ? { ...frame, refused: "the target is out of view" } : frame;
  });
}

/** Parity: par_crop.py cuts a crop for all boxes whose width and height are not 0. */
async function publishedTrack(
  name: { video: string; id: string; split: "train" | "val" },
  folder: string,
): Promise<Track> {
  const frames = await publishedFrames({
    folder: `${folder}/img`,
    boxFile: `${folder}/groundtruth.txt`,
    isCut: (_x, _y, w, h) => w !== 0 && h !== 0,
  });
  return { ...name, boxRule: "any", entriesWithoutCrop: true, frames };
}
