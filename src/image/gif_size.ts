import type { Size } from "../geometry/boxes.ts";

const EXTENSION = 0x21, PICTURE = 0x2c;
/** Signature, size of the screen, flags, background, aspect. */
const HEADER_BYTES = 13;
/** Kind, place, size, flags. */
const PICTURE_BYTES = 10;

/**
 * Sizes of a GIF's screen and of its first picture, which decoders take memory for before they look at
 * any pixel (GIF89a specification, sections 18 and 20).
 *
 * @returns Only those that the file has before it ends or stops to be a GIF.
 */
export function gifSizes(bytes: Uint8Array): Size[] {
  if (bytes.length < HEADER_BYTES) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sizeAt = (at: number) => ({
    w: view.getUint16(at, true),
    h: view.getUint16(at + 2, true),
  });
  const sizes = [sizeAt(6)];
  let at = HEADER_BYTES + paletteBytes(bytes[10]);
  while (bytes[at] === EXTENSION) at = behindBlocks(bytes, at + 2);
  if (bytes[at] === PICTURE && at + PICTURE_BYTES <= bytes.length) sizes.push(sizeAt(at + 5));
  return sizes;
}

/** Length of the palette that these flags announce. */
function paletteBytes(flags: number): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

/** Where a list of blocks, each with its length before it and the last one empty, is over. */
function behindBlocks(bytes: Uint8Array, at: number): number {
  while (bytes[at] > 0) at += 1 + bytes[at];
  return at + 1;
}
