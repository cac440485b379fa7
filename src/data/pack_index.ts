/**
 * The index of packed crops, `pack.index`: a header of 32 bytes (magic, version, seed of the hash,
 * number of crops n), then n keys (float64, ascending: 53-bit hashes of the names), n places
 * (float64: shard times 2^32 plus first byte) and n sizes (uint32), all little-endian.
 *
 * @module
 */
import { sharedCopy } from "./shared_array.ts";

/** Name of the index beside the shards. */
export const PACK_INDEX = "pack.index";
/** Bytes that a shard may span, in a place's number. */
export const SHARD_SPAN = 2 ** 32;
/** Bytes of the header. */
export const PACK_HEADER = 32;

const MAGIC = "SBANPACK";
const VERSION = 1;
const BYTES_A_CROP = 20;

/** The columns of an index: plain data in shared memory, 20 bytes a crop. */
export interface PackColumns {
  readonly seed: number;
  /** Hashes of the names, ascending, `[n]`. */
  readonly keys: Float64Array;
  /** Shard times {@linkcode SHARD_SPAN} plus first byte of the JPEG file, `[n]`. */
  readonly places: Float64Array;
  /** Bytes of the JPEG file, `[n]`. */
  readonly sizes: Uint32Array;
}

/** The header of an index of `count` crops. */
export function packHeader({ seed, count }: { seed: number; count: number }): Uint8Array {
  const bytes = new Uint8Array(PACK_HEADER);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(MAGIC));
  view.setUint32(8, VERSION, true);
  view.setUint32(12, seed, true);
  view.setFloat64(16, count, true);
  return bytes;
}

/**
 * Reads an index; undefined if there is none.
 *
 * @throws {SyntaxError} If it is no index, of another version, or not whole.
 */
export function readPackIndex(path: string): PackColumns | undefined {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isIndex = bytes.length >= PACK_HEADER &&
    new TextDecoder().decode(bytes.subarray(0, 8)) === MAGIC && view.getUint32(8, true) === VERSION;
  const count = isIndex ? view.getFloat64(16, true) : 0;
  if (
    !isIndex || !Number.isSafeInteger(count) || bytes.length !== PACK_HEADER + BYTES_A_CROP * count
  ) {
    throw new SyntaxError(
      `Cannot read "${path}": it is no whole index of packed crops, prepare the set again`,
    );
  }
  const [keys, places] = [0, 1].map((i) =>
    sharedCopy(Float64Array, new Float64Array(bytes.buffer, PACK_HEADER + 8 * i * count, count))
  );
  const sizes = new Uint32Array(bytes.buffer, PACK_HEADER + 16 * count, count);
  return { seed: view.getUint32(12, true), keys, places, sizes: sharedCopy(Uint32Array, sizes) };
}

/** A 53-bit hash of a crop's name: two multiply-and-mix hashes of its UTF-16 units, side by side. */
export function nameHash(name: string, seed: number): number {
  let a = 0x9e3779b9 ^ seed, b = 0x85ebca6b ^ seed;
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x5bd1e995);
    b ^= b >>> 15;
  }
  return (mix(a ^ (b >>> 7)) >>> 11) * 2 ** 32 + (mix(b ^ Math.imul(a, 0xc2b2ae35)) >>> 0);
}

function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
