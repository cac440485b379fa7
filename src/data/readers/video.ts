import { basename, extname } from "@std/path";
import { readBoxes } from "../box_file.ts";
import { listFrames } from "../../image/frames.ts";
import { pairWithBoxes } from "./folders.ts";
import type { Track, TrackReaderOptions } from "../track.ts";

/**
 * One video file, or one folder of pictures, with a box file: a line a frame, 4 numbers (left, top,
 * width, height; the first pixel at 0) or 8 (a polygon).
 *
 * @throws {TypeError} If no box file is given.
 */
export async function* readVideo(
  { root, boxes: boxFile }: TrackReaderOptions,
): AsyncGenerator<Track> {
  if (!boxFile) {
    throw new TypeError(`Cannot read boxes for "${root}": no box file is given, pass --boxes FILE`);
  }
  const boxes = await readBoxes(boxFile);
  const isFolder = (await Deno.stat(root)).isDirectory;
  yield {
    video: basename(root, isFolder ? "" : extname(root)),
    id: "00",
    frames: isFolder ? pairWithBoxes(await listFrames(root), boxes) : boxes.map((box, index) => ({
      number: index,
      image: { kind: "video", path: root, index },
      box,
    })),
  };
}
