import { join } from "@std/path";
import { readBoxLines } from "../box_file.ts";
import { listFrames } from "../../image/frames.ts";
import type { RawItem, Track, TrackFrame, TrackReaderOptions } from "../track.ts";
import {
  findFoldersWith,
  isThere,
  locateRoot,
  pairWithBoxes,
  splitOfPath,
  surplusPictures,
  toFault,
  videoName,
} from "./folders.ts";
import { publishedFrames, readFlags, truncate } from "./truncated_boxes.ts";
import { publishedSplit } from "./vid.ts";

/** Folders of the set's parts, as the archives name them. */
export const GOT10K_PARTS = ["train_data", "val_data", "train", "val"] as const;

/**
 * GOT-10k (arXiv:1810.11981): any folder that holds `groundtruth.txt` beside its pictures is a
 * video, named by its path below the root; one that lies in a folder called val or the like is for
 * validation. Of the set itself the test part, which has no boxes, is passed over.
 *
 * Boxes are `left,top,width,height`. Parity: numbers are cut to integers and taken as they stand,
 * frames count from 0 although file names count from 1, and a box that is not wholly inside the
 * picture is refused (training_dataset/got_10k/parse_got10k.py and gen_json.py).
 */
export async function* readGot10k(options: TrackReaderOptions): AsyncGenerator<RawItem> {
  const { asPublished = false, skipFlagged = false } = options;
  const root = await locateGot10k(options.root) ?? options.root;
  const parts = await partsOf(root);
  for (const part of parts ?? [root]) {
    for await (const { folder } of findFoldersWith(part, (name) => name === "groundtruth.txt")) {
      const video = videoName(root, folder);
      const track = { video, id: "00" } as const;
      try {
        if (asPublished) yield await publishedTrack(track, folder);
        else yield* readTrack(track, folder, skipFlagged);
      } catch (error) {
        yield toFault(`${folder}/groundtruth.txt`, error);
      }
    }
  }
}

/** The folder with the set's parts: `root` or one in it; undefined if there is none. */
export async function locateGot10k(root: string): Promise<string | undefined> {
  return await locateRoot(root, async (folder) => await partsOf(folder) !== undefined);
}

async function partsOf(root: string): Promise<string[] | undefined> {
  const paths = GOT10K_PARTS.map((name) => join(root, name));
  const there = await Promise.all(paths.map(isThere));
  const parts = paths.filter((_, i) => there[i]);
  return parts.length > 0 ? parts : undefined;
}

async function* readTrack(
  name: { video: string; id: string },
  folder: string,
  skipFlagged: boolean,
): AsyncGenerator<RawItem> {
  const boxFile = `${folder}/groundtruth.txt`;
  const lines = (await readBoxLines(boxFile)).map(truncate);
  const pictures = await listFrames(folder);
  const absent = skipFlagged ? await readFlags(`${folder}/absence.label`) : [];
  yield {
    ...name,
    split: splitOfPath(name.video),
    boxRule: "inside",
    frames: pairWithBoxes(pictures, lines, boxFile).map((frame): TrackFrame =>
      absent[frame.number] ? { ...frame, refused: "the target is absent" } : frame
    ),
  };
  yield* surplusPictures(pictures, lines, boxFile);
}

/** Parity: par_crop.py cuts a crop for all boxes that do not begin outside the picture. */
async function publishedTrack(name: { video: string; id: string }, folder: string): Promise<Track> {
  return {
    ...name,
    split: publishedSplit(name.video),
    boxRule: "any",
    entriesWithoutCrop: true,
    frames: await publishedFrames({
      folder,
      boxFile: `${folder}/groundtruth.txt`,
      isCut: (x, y) => x >= 0 && y >= 0,
    }),
  };
}
