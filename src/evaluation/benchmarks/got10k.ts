import { join } from "@std/path";
import type { Size } from "../../geometry/boxes.ts";
import type { Sequence } from "../sequence.ts";
import {
  enter,
  framesFor,
  ifFound,
  listPictures,
  pictureSize,
  readNames,
  readOptionalLabels,
  readTruth,
  type SequenceEntry,
} from "./sequence_files.ts";

/**
 * Reads GOT-10k: the folder of a subset (`val`, `test`), or the folder above, whose `val` is taken,
 * or its `test` where there is nothing else.
 * `list.txt` names the sequences; each has `groundtruth.txt`, `cover.label`, `meta_info.ini` and its
 * pictures. The truth of the test set is but its first box.
 */
export async function* readGot10k(root: string): AsyncGenerator<SequenceEntry> {
  const folders = [root, join(root, "val"), join(root, "test")];
  for (const folder of folders) {
    const names = await ifFound(readNames(join(folder, "list.txt")));
    if (!names) continue;
    for (const name of names) yield await enter(name, () => readVideo(join(folder, name), name));
    return;
  }
  throw new Deno.errors.NotFound(
    `Cannot find "list.txt" of GOT-10k in ${folders.map((folder) => `"${folder}"`).join(", ")}`,
  );
}

async function readVideo(folder: string, name: string): Promise<Sequence> {
  const truth = await readTruth(join(folder, "groundtruth.txt"));
  const frames = truth.length === 1
    ? await listPictures(folder)
    : await framesFor(folder, truth.length);
  const meta = await ifFound(Deno.readTextFile(join(folder, "meta_info.ini"))) ?? "";
  return {
    name,
    frames,
    truth,
    attributes: ["root_class", "motion_class"].flatMap((key) => metaValue(meta, key) ?? []),
    size: parseResolution(metaValue(meta, "resolution")) ?? await pictureSize(frames[0]),
    cover: await readOptionalLabels(join(folder, "cover.label")),
  };
}

function metaValue(meta: string, key: string): string | undefined {
  return new RegExp(`^${key}:\\s*(.+)$`, "m").exec(meta)?.[1].trim();
}

/** `(1920, 1080)`. */
function parseResolution(text: string | undefined): Size | undefined {
  const match = /\((\d+),\s*(\d+)\)/.exec(text ?? "");
  return match ? { w: Number(match[1]), h: Number(match[2]) } : undefined;
}
