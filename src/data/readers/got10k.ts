import { readBoxes } from "../box_file.ts";
import type { Corner } from "../../geometry/boxes.ts";
import { listFrames } from "../../image/frames.ts";
import { findFoldersWith, pairWithBoxes, videoName } from "./folders.ts";
import type { Track, TrackReaderOptions } from "../track.ts";

/**
 * GOT-10k (arXiv:1810.11981): any folder that holds `groundtruth.txt` beside its pictures is a
 * video, named by its path below the root; a video whose path says `val` is for validation.
 *
 * Boxes are `left,top,width,height`. Parity: numbers are cut to integers and taken as they stand,
 * frames count from 0 although file names count from 1, and a box that is not wholly inside the
 * picture is refused (training_dataset/got_10k/parse_got10k.py and gen_json.py).
 */
export async function* readGot10k({ root }: TrackReaderOptions): AsyncGenerator<Track> {
  for await (const { folder } of findFoldersWith(root, (name) => name === "groundtruth.txt")) {
    const boxes = await readBoxes(`${folder}/groundtruth.txt`);
    const video = videoName(root, folder);
    yield {
      video,
      id: "00",
      split: /val/.test(video) ? "val" : "train",
      boxRule: "inside",
      frames: pairWithBoxes(await listFrames(folder), boxes.map((box) => box && truncate(box))),
    };
  }
}

function truncate({ x1, y1, x2, y2 }: Corner): Corner {
  const x = Math.trunc(x1), y = Math.trunc(y1);
  return { x1: x, y1: y, x2: x + Math.trunc(x2 - x1), y2: y + Math.trunc(y2 - y1) };
}
