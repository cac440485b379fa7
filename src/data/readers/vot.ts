import { readBoxLines } from "../box_file.ts";
import { listFrames } from "../../image/frames.ts";
import { findFoldersWith, pairWithBoxes, splitOfPath, toFault, videoName } from "./folders.ts";
import type { ReadFault, Track, TrackReaderOptions } from "../track.ts";

/**
 * VOT: a video is a folder with `groundtruth.txt` and its pictures in `color`, or beside it (before
 * VOT2018).
 *
 * Boxes are polygons of 8 numbers or rectangles of 4, the first pixel at 0; a polygon becomes the
 * axis-aligned box that trackers start from.
 */
export async function* readVot({ root }: TrackReaderOptions): AsyncGenerator<Track | ReadFault> {
  for await (const { folder } of findFoldersWith(root, (name) => name === "groundtruth.txt")) {
    const inColor = await listFrames(`${folder}/color`).catch(() => []);
    const video = videoName(root, folder);
    try {
      const pictures = inColor.length > 0 ? inColor : await listFrames(folder);
      const boxFile = `${folder}/groundtruth.txt`;
      const frames = pairWithBoxes(pictures, await readBoxLines(boxFile), boxFile);
      yield { video, id: "00", split: splitOfPath(video), frames };
    } catch (error) {
      yield toFault(`${folder}/groundtruth.txt`, error);
    }
  }
}
