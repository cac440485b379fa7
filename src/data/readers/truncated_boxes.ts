/** What GOT-10k and LaSOT share: rows `left,top,width,height` of which the integer part counts. */
import { readImage } from "../../image/decode.ts";
import type { BoxLine } from "../box_file.ts";
import type { TrackFrame } from "../track.ts";
import { listFolder } from "./folders.ts";

/** Parity: numbers are cut to integers, as the parse scripts do. */
export function truncate(line: BoxLine): BoxLine {
  if (line === null || "fault" in line) return line;
  const { x1, y1, x2, y2 } = line;
  const x = Math.trunc(x1), y = Math.trunc(y1);
  return { x1: x, y1: y, x2: x + Math.trunc(x2 - x1), y2: y + Math.trunc(y2 - y1) };
}

/**
 * Parity: the frames of a video as the published scripts see them (parse_got10k.py, parse_lasot.py
 * and gen_json.py): boxes are held against the size of the picture 00000001.jpg, and a crop is cut
 * for all that `isCut` lets through.
 *
 * @throws {RangeError} If there are more pictures than boxes, on which the scripts end.
 */
export async function publishedFrames(
  { folder, boxFile, isCut }: {
    readonly folder: string;
    readonly boxFile: string;
    readonly isCut: (x: number, y: number, w: number, h: number) => boolean;
  },
): Promise<TrackFrame[]> {
  const size = await readImage(`${folder}/00000001.jpg`);
  const { files } = await listFolder(folder);
  const pictures = files.filter((name) => name.endsWith(".jpg"));
  const rows = parseNumbers(await Deno.readTextFile(boxFile));
  if (rows.length < pictures.length || rows.length < 2 && pictures.length > 0) {
    throw new RangeError(
      `the published script ends here: ${pictures.length} pictures, ${rows.length} boxes`,
    );
  }
  return pictures.map((name, number) => {
    const [x, y, w, h] = rows[number].map(Math.trunc);
    const box = { x1: x, y1: y, x2: x + w, y2: y + h };
    const isEntered = w > 0 && h > 0 && x >= 0 && y >= 0 && x + w <= size.width &&
      y + h <= size.height;
    return {
      number,
      image: { kind: "file", path: `${folder}/${name}` },
      box: isCut(x, y, w, h) ? box : null,
      entry: isEntered ? box : null,
    };
  });
}

/** @throws {SyntaxError} If a row is not four numbers. */
function parseNumbers(text: string): number[][] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  return lines.map((line, i) => {
    const numbers = line.split(",").map((word) => word.trim() === "" ? NaN : Number(word));
    if (numbers.length >= 4 && numbers.every(Number.isFinite)) return numbers;
    throw new SyntaxError(`the published script ends here: line ${i + 1} is "${line}"`);
  });
}

/** Flags of a file, one number a frame, separated by commas or lines; 1 means yes. */
export async function readFlags(path: string): Promise<boolean[]> {
  try {
    const text = await Deno.readTextFile(path);
    return text.split(/[\s,]+/).filter((word) => word !== "").map((word) => word === "1");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
