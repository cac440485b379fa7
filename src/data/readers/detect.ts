import { extname, join } from "@std/path";
import { isThere, listFolder, locateRoot } from "./folders.ts";
import type { TrackFormat } from "./track_readers.ts";
import { GOT10K_PARTS } from "./got10k.ts";
import { YOUTUBEBB_PARTS } from "./youtubebb.ts";

/** Folders that are looked into before the search gives up. */
const LOOK_INTO = 200;

/**
 * Finds out which forms the raw data in a folder (or file) may have; the likeliest first, and one
 * alone where a public set is recognised.
 *
 * @throws {Deno.errors.NotFound} If it is not there.
 */
export async function detectFormats(root: string): Promise<TrackFormat[]> {
  if ((await Deno.stat(root)).isFile) return formatsOfFile(root);
  const sets: [TrackFormat, (folder: string) => Promise<boolean>][] = [
    ["vid", (folder) => isThere(join(folder, "Annotations", "VID"))],
    ["det", (folder) => isThere(join(folder, "Annotations", "DET"))],
    [
      "youtubebb",
      (folder) =>
        isAny(
          folder,
          Object.values(YOUTUBEBB_PARTS).flatMap((part) => [`${part}.csv`, `${part}.csv.gz`]),
        ),
    ],
    ["coco", hasInstances],
    ["lasot", (folder) => isThere(join(folder, "testing_set.txt"))],
  ];
  const found: TrackFormat[] = [];
  for (const [format, hasSet] of sets) if (await locateRoot(root, hasSet)) found.push(format);
  return found.length > 0 ? found : await formatsOfTree(root);
}

function formatsOfFile(path: string): TrackFormat[] {
  const ending = extname(path).toLowerCase();
  if (ending === ".csv") return ["csv"];
  if (ending === ".json") return ["coco"];
  return /\.(mp4|avi|mov|mkv|webm|m4v|mpe?g)$/.test(ending) ? ["video"] : [];
}

async function isAny(folder: string, names: readonly string[]): Promise<boolean> {
  const there = await Promise.all(names.map((name) => isThere(join(folder, name))));
  return there.includes(true);
}

async function hasInstances(folder: string): Promise<boolean> {
  const { files } = await listFolder(join(folder, "annotations"))
    .catch(() => ({ files: [] as string[] }));
  return files.some((name) => /^instances_.+\.json$/.test(name));
}

/** Goes through folders, the nearest first, until the files of one tell the form. */
async function formatsOfTree(root: string): Promise<TrackFormat[]> {
  const queue = [root];
  for (let looked = 0; looked < LOOK_INTO && queue.length > 0; looked++) {
    const folder = queue.shift()!;
    const { folders, files } = await listFolder(folder);
    const formats = formatsOfFolder(files, folders, await isGot10kPart(root));
    if (formats.length > 0) return formats;
    queue.push(...folders.map((name) => join(folder, name)));
  }
  return [];
}

async function isGot10kPart(root: string): Promise<boolean> {
  return await locateRoot(root, (folder) => isAny(folder, GOT10K_PARTS)) !== undefined;
}

function formatsOfFolder(
  files: readonly string[],
  folders: readonly string[],
  hasParts: boolean,
): TrackFormat[] {
  const has = (pattern: RegExp) => files.some((name) => pattern.test(name));
  if (has(/^groundtruth_rect(\.\d+)?\.txt$/)) return ["otb"];
  if (files.includes("groundtruth.txt")) {
    if (folders.includes("img") || has(/^(full_occlusion|out_of_view)\.txt$/)) return ["lasot"];
    if (folders.includes("color")) return ["vot"];
    if (hasParts || has(/^(absence|cover)\.label$|^meta_info\.ini$/)) return ["got10k"];
    return ["got10k", "vot"];
  }
  if (has(/\.xml$/i)) return ["voc"];
  if (has(/\.(mp4|avi|mov|mkv|webm|m4v|mpe?g)$/i)) return ["video"];
  if (has(/\.csv$/i)) return ["csv"];
  return has(/\.json$/i) ? ["coco"] : [];
}
