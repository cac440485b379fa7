import type { Mark, Region } from "./region.ts";

/** What a binary trajectory begins with. */
const VERSION = 1;

/** Kinds of regions, by their number in the file. */
const SPECIAL = 0, RECTANGLE = 1, POLYGON = 2, MASK = 3, POINT = 4;

/**
 * Parses the binary form in which the VOT toolkit keeps results (`<sequence>_001.bin`): little-endian,
 * a 16-bit version, a 32-bit count of frames, then a byte for the kind of each region and its numbers.
 *
 * @returns A region a frame, or a mark: 0 unknown, 1 start, 2 failure.
 * @throws {SyntaxError} If it is damaged, or holds masks or points.
 */
export function parseVotBinary(bytes: Uint8Array, name: string): (Region | Mark)[] {
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
  const region = (frame: number): Region | Mark => {
    const kind = view.getUint8(take(1));
    switch (kind) {
      case SPECIAL: {
        const code = view.getUint32(take(4), true);
        return code === 0 || code === 1 || code === 2
          ? code
          : fail(`frame ${frame} has the unknown mark ${code}`);
      }
      case RECTANGLE: {
        const [x, y, w, h] = floats(4);
        return { x, y, w, h };
      }
      case POLYGON:
        return { points: floats(2 * view.getUint16(take(2), true)) };
      case MASK:
      case POINT:
        return fail(`frame ${frame} is a mask or a point, expected a rectangle or a polygon`);
    }
    return fail(`frame ${frame} is of the unknown kind ${kind}`);
  };
  // A frame takes five bytes at least: a count that cannot be is found before anything is made of it.
  if (5 * count > bytes.length - at) fail("it ends early");
  const run = Array.from({ length: count }, (_, i) => region(i + 1));
  return at === bytes.length ? run : fail(`${bytes.length - at} bytes follow the last frame`);
}
