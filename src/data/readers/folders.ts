import { basename, join, relative, resolve } from "@std/path";
import type { Corner } from "../../geometry/boxes.ts";
import type { TrackFrame } from "../track.ts";

/** Folders at or below `root`, in order of their names, that hold files of such names. */
export async function* findFoldersWith(
  root: string,
  isWanted: (fileName: string) => boolean,
): AsyncGenerator<{ folder: string; files: string[] }> {
  const folders: string[] = [];
  const files: string[] = [];
  for await (const { name, isDirectory, isSymlink } of Deno.readDir(root)) {
    const isFolder = isDirectory || isSymlink && (await Deno.stat(join(root, name))).isDirectory;
    if (isFolder) folders.push(name);
    else if (isWanted(name)) files.push(name);
  }
  if (files.length > 0) yield { folder: root, files: files.sort() };
  for (const name of folders.sort()) yield* findFoldersWith(join(root, name), isWanted);
}

/** The name of a video that lies at or below the root of its set: its folders, joined by `/`. */
export function videoName(root: string, folder: string): string {
  const below = relative(resolve(root), resolve(folder)).replaceAll("\\", "/");
  return below === "" ? basename(resolve(root)) : below;
}

/**
 * Pairs the k-th picture with the k-th box; numbers count from 0. A box without a picture stays,
 * so that it is reported and not lost; a picture without a box is no frame of the track.
 */
export function pairWithBoxes(
  pictures: readonly string[],
  boxes: readonly (Corner | null)[],
): TrackFrame[] {
  const missing = (number: number) => `picture ${number + 1} of ${pictures.length}`;
  return boxes.map((box, number) => ({
    number,
    image: { kind: "file", path: pictures[number] ?? missing(number) },
    box,
  }));
}
