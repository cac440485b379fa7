import { basename, dirname, join, relative, resolve } from "@std/path";
import type { BoxLine } from "../box_file.ts";
import type { ReadFault, TrackFrame } from "../track.ts";

/** Folders at or below `root`, in order of their names, that hold files of such names. */
export async function* findFoldersWith(
  root: string,
  isWanted: (fileName: string) => boolean,
): AsyncGenerator<{ folder: string; files: string[] }> {
  const { folders, files } = await listFolder(root);
  const wanted = files.filter(isWanted);
  if (wanted.length > 0) yield { folder: root, files: wanted };
  for (const name of folders) {
    const folder = join(root, name);
    if (!await leadsUp(folder)) yield* findFoldersWith(folder, isWanted);
  }
}

/** Whether a folder is a link to one that it lies in, so that there would be no end. */
async function leadsUp(folder: string): Promise<boolean> {
  if (!(await Deno.lstat(folder)).isSymlink) return false;
  const [target, place] = await Promise.all([
    Deno.realPath(folder),
    Deno.realPath(dirname(folder)),
  ]);
  return `${place}/`.startsWith(`${target}/`);
}

/**
 * What lies in a folder, each in the order of its names; links count as what they lead to, and
 * those that lead nowhere do not count.
 *
 * @throws {Deno.errors.NotFound} If there is no such folder.
 */
export async function listFolder(path: string): Promise<{ folders: string[]; files: string[] }> {
  const folders: string[] = [], files: string[] = [];
  for await (const { name, isDirectory, isSymlink } of Deno.readDir(path)) {
    const isFolder = isSymlink ? await isFolderAt(join(path, name)) : isDirectory;
    if (isFolder !== undefined) (isFolder ? folders : files).push(name);
  }
  return { folders: folders.sort(compareNames), files: files.sort(compareNames) };
}

async function isFolderAt(path: string): Promise<boolean | undefined> {
  return await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => undefined);
}

/** Python's order of names. */
function compareNames(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Whether there is such a file or folder. */
export async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/**
 * The folder of a set, where a person may name it or the one above it.
 *
 * @param hasSet Whether a folder is the set's.
 */
export async function locateRoot(
  root: string,
  hasSet: (folder: string) => Promise<boolean>,
): Promise<string | undefined> {
  if (await hasSet(root)) return root;
  const { folders } = await listFolder(root);
  for (const name of folders) if (await hasSet(join(root, name))) return join(root, name);
  return undefined;
}

/** The name of a video that lies at or below the root of its set: its folders, joined by `/`. */
export function videoName(root: string, folder: string): string {
  const below = relative(resolve(root), resolve(folder)).replaceAll("\\", "/");
  return below === "" ? basename(resolve(root)) : below;
}

/** `val` for what lies in a folder called val, validation or the like. */
export function splitOfPath(video: string): "train" | "val" {
  return video.split("/").some((part) => /^val(id|idation)?(\W|_|\d|$)/i.test(part))
    ? "val"
    : "train";
}

/**
 * Pairs the k-th picture with the k-th box; numbers count from 0. A box without a picture stays,
 * so that it is reported and not lost; a picture without a box is no frame of the track.
 *
 * @param boxFile What the report names where something is wrong.
 */
export function pairWithBoxes(
  pictures: readonly string[],
  lines: readonly BoxLine[],
  boxFile: string,
): TrackFrame[] {
  const missing = `there are ${lines.length} boxes and ${pictures.length} pictures`;
  return lines.map((line, number) => {
    const isBad = line !== null && "fault" in line;
    const fault = isBad ? line.fault : number < pictures.length ? undefined : missing;
    const box = isBad ? null : line;
    if (fault === undefined) {
      return { number, image: { kind: "file", path: pictures[number] }, box };
    }
    return { number, image: { kind: "file", path: boxFile }, box, fault };
  });
}

/** Says that there are more pictures than boxes, where each picture should have one. */
export function* surplusPictures(
  pictures: readonly string[],
  lines: readonly BoxLine[],
  boxFile: string,
): Generator<ReadFault> {
  if (pictures.length <= lines.length) return;
  const reason = `there are ${lines.length} boxes and ${pictures.length} pictures`;
  yield { file: boxFile, reason };
}

/** The fault that an error is. */
export function toFault(file: string, error: unknown): ReadFault {
  return { file, reason: error instanceof Error ? error.message : String(error) };
}
