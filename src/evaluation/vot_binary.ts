import { type NumberRows, NumberRowsBuilder } from "./number_rows.ts";

/** What a binary trajectory begins with. */
const VERSION = 1;

/** Kinds of regions, by their number in the file. */
const SPECIAL = 0, RECTANGLE = 1, POLYGON = 2, MASK = 3, POINT = 4;

/**
 * Parses the binary form in which the VOT toolkit keeps results (`<sequence>_001.bin`): little-endian,
 * a 16-bit version, a 32-bit count of frames, then a byte for the kind of each region and its numbers.
 *
 * @returns A row a frame: a box, a polygon, or a mark: 0 unknown, 1 start, 2 failure.
 * @throws {SyntaxError} If it is damaged, or holds masks or points.
 */
export function parseVotBinary(bytes: Uint8Array, name: string): NumberRows {
  const fail = (reason: string): never => {
    throw new SyntaxError(`Cannot read "${name}": ${reason}`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 6 || view.getInt16(0, true) !== VERSION) fail("it is no binary trajectory");
  const count = view.getUint32(2, true);
  let at = 6;
  const take = (size: number): number => {
    const place = at;
    at += size;
    return at <= bytes.length ? place : fail("it ends early");
  };
  const floats = (length: number): number[] => {
    const from = take(4 * length);
    return Array.from({ length }, (_, i) => view.getFloat32(from + 4 * i, true));
  };
  const numbers = (frame: number): number[] => {
    const kind = view.getUint8(take(1));
    switch (kind) {
      case SPECIAL: {
        const mark = view.getUint32(take(4), true);
        return mark <= 2 ? [mark] : fail(`frame ${frame} has the unknown mark ${mark}`);
      }
      case RECTANGLE:
        return floats(4);
      case POLYGON: {
        const corners = view.getUint16(take(2), true);
        if (corners < 3) {
          fail(`frame ${frame} is a polygon of ${corners} corners, expected 3 or more`);
        }
        return floats(2 * corners);
      }
      case MASK:
      case POINT:
        return fail(`frame ${frame} is a mask or a point, expected a rectangle or a polygon`);
    }
    return fail(`frame ${frame} is of the unknown kind ${kind}`);
  };
  // A frame takes five bytes at least: a count that cannot be is found before anything is made of it.
  if (5 * count > bytes.length - at) fail("it ends early");
  const rows = new NumberRowsBuilder();
  for (let frame = 1; frame <= count; frame++) rows.push(numbers(frame));
  return at === bytes.length
    ? rows.build()
    : fail(`${bytes.length - at} bytes follow the last frame`);
}
