import { centerToCorner, type Corner, ltwhToCorner, polygonToBox } from "../geometry/boxes.ts";

/** How the numbers of a box file are meant. */
export interface BoxFileOptions {
  /** What is subtracted from coordinates: 1 where the first pixel is called 1; default 0. */
  readonly origin?: 0 | 1;
}

/**
 * Parses a box file: one line a frame, 4 numbers (left, top, width, height) or 8 (a polygon, which
 * becomes the axis-aligned box that VOT trackers start from), separated by commas, semicolons,
 * tabs or spaces. Blank lines at the end do not count; a line of NaN, and one of a single number
 * (a VOT marker), gives null: the target is not there.
 *
 * @param name What error messages call the file.
 * @throws {SyntaxError} If a line is something else; names the line.
 */
export function parseBoxes(
  text: string,
  { name = "the box file", origin = 0 }: BoxFileOptions & { readonly name?: string } = {},
): (Corner | null)[] {
  const place = (i: number) => `"${name}", line ${i + 1}`;
  return linesOf(text).map((line, i) => parseLine(line, { place: place(i), origin }));
}

function linesOf(text: string): string[] {
  const lines = text.replace(/^\ufeff/, "").trimEnd().split(/\r\n|\n|\r/);
  return lines.length === 1 && lines[0].trim() === "" ? [] : lines;
}

/** A line of a box file: a box, null where the target is not given, or why it cannot be read. */
export type BoxLine = Corner | null | { readonly fault: string };

/** Reads a box file line by line ({@linkcode parseBoxes}): a bad line spoils no other. */
export async function readBoxLines(
  path: string,
  { origin = 0 }: BoxFileOptions = {},
): Promise<BoxLine[]> {
  return linesOf(await Deno.readTextFile(path)).map((line, i) => {
    try {
      return parseLine(line, { place: `"${path}", line ${i + 1}`, origin });
    } catch (error) {
      if (error instanceof SyntaxError) return { fault: error.message };
      throw error;
    }
  });
}

/** Beyond what any coordinate is, and far below where sums and products overflow. */
const LARGEST = 1e100;

function parseLine(
  line: string,
  { place, origin }: { place: string; origin: 0 | 1 },
): Corner | null {
  const words = line.trim().split(/[\s,;]+/).filter((word) => word !== "");
  const numbers = words.map((word) => /^[-+]?nan$/i.test(word) ? NaN : Number(word));
  const strange = numbers.findIndex((number, i) =>
    Math.abs(number) > LARGEST || isNaN(number) && !/nan/i.test(words[i])
  );
  if (strange !== -1) {
    const fault = isNaN(numbers[strange]) ? "is not a number" : "is no coordinate in pixels";
    throw new SyntaxError(`Cannot read ${place}: "${words[strange]}" ${fault}`);
  }
  if (numbers.length === 1 || numbers.some(isNaN) && numbers.length > 0) return null;
  if (numbers.length === 4) {
    const [x, y, w, h] = numbers;
    return ltwhToCorner({ x: x - origin, y: y - origin, w, h });
  }
  if (numbers.length === 8) return centerToCorner(polygonToBox(numbers.map((n) => n - origin)));
  throw new SyntaxError(
    `Cannot read ${place}: found ${numbers.length} numbers, expected 4 (left, top, width, height) or 8 (a polygon)`,
  );
}
