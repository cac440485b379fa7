import { join } from "@std/path";
import type { Region } from "../region.ts";
import type { Sequence } from "../sequence.ts";
import { NFS_SEQUENCES } from "./nfs_sequences.ts";
import {
  enter,
  framesFor,
  ifFound,
  listPictures,
  pictureSize,
  readTruth,
  type SequenceEntry,
} from "./sequence_files.ts";

/** How much denser the boxes are than the pictures, where they are those of 240 frames a second. */
const DENSITY = 8;

/**
 * Reads Need for Speed at 30 or 240 frames a second, in its own form (`<sequence>/30/<sequence>.txt`
 * with pictures beside it in `<sequence>/30/<sequence>`) or as pytracking lays it out
 * (`anno/nfs_<sequence>.txt`, `sequences/<sequence>`).
 */
export function readNfs(framesPerSecond: 30 | 240) {
  return async function* (root: string): AsyncGenerator<SequenceEntry> {
    for (const name of NFS_SEQUENCES) {
      yield await enter(
        name,
        async () =>
          await ifFound(readRearranged(root, name)) ??
            await readOriginal(root, name, framesPerSecond),
      );
    }
  };
}

async function readRearranged(root: string, name: string): Promise<Sequence> {
  const truth = await readTruth(join(root, "anno", `nfs_${name}.txt`));
  const frames = await framesFor(join(root, "sequences", name), truth.length);
  return { name, frames, truth, attributes: [], size: await pictureSize(frames[0]) };
}

async function readOriginal(root: string, name: string, rate: number): Promise<Sequence> {
  const folder = join(root, name, String(rate));
  const boxes = parseVatic(await Deno.readTextFile(join(folder, `${name}.txt`)), name);
  const pictures = await ifFound(listPictures(join(folder, name))) ?? [];
  const isDenser = pictures.length > 0
    ? Math.abs(boxes.length / pictures.length - DENSITY) < 1
    : rate === 30 && await isAtFullRate(root, name, boxes.length);
  const truth = isDenser ? boxes.filter((_, i) => i % DENSITY === 0) : boxes;
  if (pictures.length > 0 && Math.abs(pictures.length - truth.length) > 1) {
    throw new RangeError(
      `Cannot use "${folder}": found ${pictures.length} pictures, expected ${truth.length}`,
    );
  }
  const length = Math.min(truth.length, pictures.length || truth.length);
  const frames = pictures.slice(0, length), size = await pictureSize(frames[0]);
  return { name, frames, truth: truth.slice(0, length), attributes: [], size };
}

/** Whether boxes at 30 frames a second, no pictures being there to tell, are as many as at 240. */
async function isAtFullRate(root: string, name: string, boxes: number): Promise<boolean> {
  const text = await ifFound(Deno.readTextFile(join(root, name, "240", `${name}.txt`)));
  return text !== undefined && Math.abs(parseVatic(text, name).length - boxes) < DENSITY;
}

/** Lines `track left top right bottom frame lost occluded generated "label"`. */
function parseVatic(text: string, name: string): Region[] {
  return text.trim().split(/\r?\n/).map((line, i) => {
    const [x1, y1, x2, y2] = line.trim().split(/\s+/).slice(1, 5).map(Number);
    if (![x1, y1, x2, y2].every(Number.isFinite)) {
      throw new SyntaxError(`Cannot read the boxes of "${name}", line ${i + 1}: "${line}"`);
    }
    return { x: x1, y: y1, w: x2 - x1, h: y2 - y1 };
  });
}
