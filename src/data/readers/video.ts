import { basename, extname, join } from "@std/path";
import { readBoxLines } from "../box_file.ts";
import { listFrames } from "../../image/frames.ts";
import { isThere, listFolder, pairWithBoxes, toFault } from "./folders.ts";
import type { ReadFault, Track, TrackReaderOptions } from "../track.ts";

const FILM = /\.(mp4|avi|mov|mkv|webm|m4v|mpe?g)$/i;

/**
 * A video file, or a folder of pictures, with a box file (`boxes`); or a folder of video files, each
 * with a box file of its name beside it or in the folder `boxes`: `cat.mp4` and `cat.txt` or
 * `cat.csv`. A line a frame, 4 numbers (left, top, width, height; the first pixel at 0) or 8 (a
 * polygon).
 *
 * @throws {TypeError} If no box file is given.
 */
export async function* readVideo(
  { root, boxes }: TrackReaderOptions,
): AsyncGenerator<Track | ReadFault> {
  const isFolder = (await Deno.stat(root)).isDirectory;
  const films = isFolder ? (await listFolder(root)).files.filter((name) => FILM.test(name)) : [];
  if (films.length > 0) return yield* readFilms(root, films, boxes ?? root);
  if (!boxes) {
    throw new TypeError(`Cannot read boxes for "${root}": no box file is given, pass --boxes FILE`);
  }
  yield isFolder
    ? {
      video: basename(root),
      id: "00",
      frames: pairWithBoxes(await listFrames(root), await readBoxLines(boxes), boxes),
    }
    : await filmTrack(root, boxes);
}

async function* readFilms(
  root: string,
  films: readonly string[],
  boxFolder: string,
): AsyncGenerator<Track | ReadFault> {
  for (const film of films) {
    const stem = join(boxFolder, basename(film, extname(film)));
    const candidates = [`${stem}.txt`, `${stem}.csv`];
    const there = await Promise.all(candidates.map(isThere));
    const file = candidates[Math.max(0, there.indexOf(true))];
    try {
      yield await filmTrack(join(root, film), file);
    } catch (error) {
      yield toFault(file, error);
    }
  }
}

async function filmTrack(film: string, boxFile: string): Promise<Track> {
  const lines = await readBoxLines(boxFile);
  return {
    video: basename(film, extname(film)),
    id: "00",
    frames: lines.map((line, index) => ({
      number: index,
      image: { kind: "video", path: film, index },
      ...line !== null && "fault" in line ? { box: null, ...line } : { box: line },
    })),
  };
}
