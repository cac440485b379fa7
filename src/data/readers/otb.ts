import { basename } from "@std/path";
import { readBoxLines } from "../box_file.ts";
import { listFrames } from "../../image/frames.ts";
import { findFoldersWith, pairWithBoxes, splitOfPath, toFault, videoName } from "./folders.ts";
import type { ReadFault, Track, TrackReaderOptions } from "../track.ts";

/** Sequences whose first box belongs to a later picture, counted from 1 (the benchmark's list). */
const FIRST_PICTURE: Readonly<Record<string, number>> = { David: 300 };

/** `groundtruth_rect.txt`, or `groundtruth_rect.2.txt` where a video has several targets. */
const BOX_FILE = /^groundtruth_rect(\.(\d+))?\.txt$/;

/**
 * OTB (Wu et al., PAMI 2015): a video is a folder with `groundtruth_rect.txt` and its pictures in
 * `img`; each box file is a track.
 *
 * Boxes are `left top width height` separated by commas, tabs or spaces. They come from MATLAB,
 * where the first pixel is (1, 1): 1 is subtracted.
 */
export async function* readOtb({ root }: TrackReaderOptions): AsyncGenerator<Track | ReadFault> {
  for await (const { folder, files } of findFoldersWith(root, (name) => BOX_FILE.test(name))) {
    const video = videoName(root, folder);
    for (const file of files) {
      const target = Number(BOX_FILE.exec(file)?.[2] ?? 1);
      try {
        const pictures = (await listFrames(`${folder}/img`))
          .slice((FIRST_PICTURE[basename(folder)] ?? 1) - 1);
        yield {
          video,
          id: String(target - 1).padStart(2, "0"),
          split: splitOfPath(video),
          frames: pairWithBoxes(
            pictures,
            await readBoxLines(`${folder}/${file}`, { origin: 1 }),
            `${folder}/${file}`,
          ),
        };
      } catch (error) {
        yield toFault(`${folder}/${file}`, error);
      }
    }
  }
}
