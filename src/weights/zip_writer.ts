/**
 * Writes zip archives with stored entries, as PyTorch does; 64-bit fields where sizes need them.
 *
 * Layout: PKWARE APPNOTE.TXT 6.3, sections 4.3.7 to 4.3.16.
 */
import { crc32 } from "node:zlib";

/** A file to put into an archive. */
export interface ZipContent {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** PyTorch aligns the content of its entries to this, so that they can be mapped into memory. */
const ALIGNMENT = 64;
/** The extra field that PyTorch fills up with ("FB"). */
const PADDING_ID = 0x4246;
const ZIP64_ID = 1;

const MOST_32 = 0xffffffff;
const MOST_16 = 0xffff;
/** 1 January 1980, the first day there is: equal contents give equal archives. */
const DATE = (1 << 5) | 1;

/** The bytes of an archive, piece by piece; contents are not copied. */
export function* zipChunks(contents: Iterable<ZipContent>): Generator<Uint8Array> {
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const { name, bytes } of contents) {
    const entry = {
      name: new TextEncoder().encode(name),
      size: bytes.byteLength,
      crc: crc32(bytes),
    };
    const header = localHeader(entry, at);
    directory.push(directoryEntry(entry, at));
    yield header;
    yield bytes;
    at += header.byteLength + bytes.byteLength;
  }
  yield* directory;
  const size = directory.reduce((sum, entry) => sum + entry.byteLength, 0);
  yield endOfDirectory({ count: directory.length, size, offset: at });
}

interface Entry {
  readonly name: Uint8Array;
  readonly size: number;
  readonly crc: number;
}

function localHeader(entry: Entry, offset: number): Uint8Array {
  const wide = entry.size >= MOST_32;
  const extra = wide ? extra64([entry.size, entry.size]) : new Uint8Array();
  const unpadded = offset + 30 + entry.name.byteLength + extra.byteLength + 4;
  const padding = new Uint8Array(4 + (-unpadded & (ALIGNMENT - 1)));
  new Fields(padding).u16(PADDING_ID).u16(padding.byteLength - 4);

  const header = new Uint8Array(30);
  new Fields(header).u32(0x04034b50).u16(wide ? 45 : 20).u16(0).u16(0).u16(0).u16(DATE)
    .u32(entry.crc).u32(wide ? MOST_32 : entry.size).u32(wide ? MOST_32 : entry.size)
    .u16(entry.name.byteLength).u16(extra.byteLength + padding.byteLength);
  return concat([header, entry.name, extra, padding]);
}

function directoryEntry(entry: Entry, offset: number): Uint8Array {
  const wideSize = entry.size >= MOST_32;
  const wideOffset = offset >= MOST_32;
  const wide = [...(wideSize ? [entry.size, entry.size] : []), ...(wideOffset ? [offset] : [])];
  const extra = wide.length > 0 ? extra64(wide) : new Uint8Array();

  const header = new Uint8Array(46);
  const version = wide.length > 0 ? 45 : 20;
  new Fields(header).u32(0x02014b50).u16(version).u16(version).u16(0).u16(0).u16(0).u16(DATE)
    .u32(entry.crc).u32(wideSize ? MOST_32 : entry.size).u32(wideSize ? MOST_32 : entry.size)
    .u16(entry.name.byteLength).u16(extra.byteLength).u16(0).u16(0).u16(0).u32(0)
    .u32(wideOffset ? MOST_32 : offset);
  return concat([header, entry.name, extra]);
}

function extra64(values: readonly number[]): Uint8Array {
  const extra = new Uint8Array(4 + 8 * values.length);
  const fields = new Fields(extra).u16(ZIP64_ID).u16(8 * values.length);
  for (const value of values) fields.u64(value);
  return extra;
}

/** The end record, after its 64-bit form where a field needs it. */
function endOfDirectory(
  { count, size, offset }: { count: number; size: number; offset: number },
): Uint8Array {
  const wide = count >= MOST_16 || size >= MOST_32 || offset >= MOST_32;
  const end64 = new Uint8Array(wide ? 56 + 20 : 0);
  if (wide) {
    new Fields(end64).u32(0x06064b50).u64(44).u16(45).u16(45).u32(0).u32(0)
      .u64(count).u64(count).u64(size).u64(offset)
      .u32(0x07064b50).u32(0).u64(offset + size).u32(1);
  }
  const end = new Uint8Array(22);
  new Fields(end).u32(0x06054b50).u16(0).u16(0)
    .u16(Math.min(count, MOST_16)).u16(Math.min(count, MOST_16))
    .u32(Math.min(size, MOST_32)).u32(Math.min(offset, MOST_32)).u16(0);
  return concat([end64, end]);
}

/** Little-endian fields written one after the other. */
class Fields {
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u16(value: number): this {
    this.#view.setUint16(this.#at, value, true);
    this.#at += 2;
    return this;
  }

  u32(value: number): this {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
    return this;
  }

  u64(value: number): this {
    this.#view.setBigUint64(this.#at, BigInt(value), true);
    this.#at += 8;
    return this;
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}
