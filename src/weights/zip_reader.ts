/**
 * Reads zip archives by range: the directory first, then only what is asked for, straight into the
 * memory that keeps it. Handles archives beyond 4 GiB (zip64) and deflated entries.
 *
 * Layout: PKWARE APPNOTE.TXT 6.3, sections 4.3.7 (local header) to 4.3.16 (end of directory).
 */
import { crc32 } from "node:zlib";
import type { ByteSource } from "./byte_source.ts";
import { WeightsFileError } from "./weights_file_error.ts";

/** One file inside an archive, as its directory describes it. */
export interface ZipEntry {
  readonly name: string;
  /** Bytes once unpacked. */
  readonly size: number;
  readonly compressedSize: number;
  readonly deflated: boolean;
  readonly crc: number;
  readonly headerOffset: number;
}

const LOCAL_HEADER = 0x04034b50;
const DIRECTORY_ENTRY = 0x02014b50;
const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;

const END_BYTES = 22;
const LONGEST_COMMENT = 0xffff;
const IN_ZIP64 = 0xffffffff;

/** An archive open for reading; closing the source is left to whoever opened it. */
export class ZipReader {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly #source: ByteSource;
  /** The last deflated entry: tensors that share a storage are read one after the other. */
  #unpacked?: { entry: ZipEntry; bytes: Uint8Array<ArrayBuffer> };

  private constructor(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>) {
    this.#source = source;
    this.entries = entries;
  }

  /**
   * Reads the directory of an archive.
   *
   * @throws {WeightsFileError} If it is damaged, encrypted, packed in another way or spread over
   * several files, or if it names an entry twice.
   */
  static async open(source: ByteSource): Promise<ZipReader> {
    const { offset, size, count } = await findDirectory(source);
    return new ZipReader(source, parseDirectory(await source.read(offset, size), count));
  }

  /**
   * Reads `length` bytes of an entry from `offset`, by default all of it.
   *
   * @throws {WeightsFileError} If the entry is damaged; a checksum can tell only for whole entries.
   */
  async read(
    entry: ZipEntry,
    { offset = 0, length = entry.size - offset }: { offset?: number; length?: number } = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    if (offset < 0 || length < 0 || offset + length > entry.size) {
      throw new RangeError(
        `Cannot read bytes ${offset} to ${
          offset + length
        } of "${entry.name}": it has ${entry.size}`,
      );
    }
    if (entry.deflated) return (await this.#unpack(entry)).slice(offset, offset + length);
    const bytes = await this.#source.read(await this.#dataOffset(entry) + offset, length);
    if (length === entry.size) checkCrc(entry, bytes);
    return bytes;
  }

  async #dataOffset(entry: ZipEntry): Promise<number> {
    const header = viewOf(await this.#source.read(entry.headerOffset, 30));
    if (header.getUint32(0, true) !== LOCAL_HEADER) {
      throw new WeightsFileError(`entry "${entry.name}" does not begin where the directory says`);
    }
    return entry.headerOffset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  }

  async #unpack(entry: ZipEntry): Promise<Uint8Array> {
    if (this.#unpacked?.entry === entry) return this.#unpacked.bytes;
    const packed = await this.#source.read(await this.#dataOffset(entry), entry.compressedSize);
    const bytes = await inflate(packed, entry);
    checkCrc(entry, bytes);
    this.#unpacked = { entry, bytes };
    return bytes;
  }
}

/** Unpacks up to the size that the directory announces and not a byte more. */
async function inflate(
  packed: Uint8Array<ArrayBuffer>,
  { name, size }: ZipEntry,
): Promise<Uint8Array<ArrayBuffer>> {
  // Deflate packs 1032 to 1 at best; a larger announcement is a trap for the allocation below.
  if (size > packed.byteLength * 1032) {
    throw new WeightsFileError(`entry "${name}" announces ${size} bytes, more than it can hold`);
  }
  const bytes = new Uint8Array(size);
  let length = 0;
  try {
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    for await (const piece of stream) {
      if (length + piece.byteLength > size) {
        throw new WeightsFileError(
          `entry "${name}" unpacks to more than the ${size} bytes it said`,
        );
      }
      bytes.set(piece, length);
      length += piece.byteLength;
    }
  } catch (cause) {
    if (cause instanceof WeightsFileError) throw cause;
    throw new WeightsFileError(`entry "${name}" cannot be unpacked, it is damaged`, { cause });
  }
  if (length === size) return bytes;
  throw new WeightsFileError(`entry "${name}" unpacks to ${length} bytes, expected ${size}`);
}

function checkCrc({ name, crc }: ZipEntry, bytes: Uint8Array): void {
  if (crc32(bytes) === crc) return;
  throw new WeightsFileError(
    `entry "${name}" does not match its checksum, it is damaged: copy or download it again`,
  );
}

interface Directory {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

async function findDirectory(source: ByteSource): Promise<Directory> {
  const tailBytes = Math.min(source.size, END_BYTES + LONGEST_COMMENT);
  const start = source.size - tailBytes;
  const tail = viewOf(await source.read(start, tailBytes));
  for (let at = tailBytes - END_BYTES; at >= 0; at--) {
    // The comment must reach to the end of the file, or the four bytes are part of something else.
    const ends = tail.getUint32(at, true) === END &&
      at + END_BYTES + tail.getUint16(at + 20, true) === tailBytes;
    if (!ends) continue;
    const directory = {
      offset: tail.getUint32(at + 16, true),
      size: tail.getUint32(at + 12, true),
      count: tail.getUint16(at + 10, true),
    };
    return await findDirectory64(source, start + at) ?? directory;
  }
  throw new WeightsFileError(
    "it begins as a zip archive but has no directory at its end, " +
      "it is cut short: copy or download it again",
  );
}

/** The directory as the 64-bit records say, if the archive has them. */
async function findDirectory64(source: ByteSource, end: number): Promise<Directory | undefined> {
  if (end < 20) return undefined;
  const locator = viewOf(await source.read(end - 20, 20));
  if (locator.getUint32(0, true) !== LOCATOR_64) return undefined;
  const record = viewOf(await source.read(toSize(locator, 8), 56));
  if (record.getUint32(0, true) !== END_64) {
    throw new WeightsFileError("its 64-bit zip directory is not where the archive says");
  }
  return { offset: toSize(record, 48), size: toSize(record, 40), count: toSize(record, 32) };
}

function parseDirectory(bytes: Uint8Array, count: number): Map<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    const { entry, length } = parseEntry(bytes.subarray(at));
    if (entries.has(entry.name)) {
      throw new WeightsFileError(`it has two entries named "${entry.name}"`);
    }
    entries.set(entry.name, entry);
    at += length;
  }
  return entries;
}

function parseEntry(bytes: Uint8Array): { entry: ZipEntry; length: number } {
  const view = viewOf(bytes);
  if (bytes.byteLength < 46 || view.getUint32(0, true) !== DIRECTORY_ENTRY) {
    throw new WeightsFileError("its zip directory is damaged");
  }
  const nameEnd = 46 + view.getUint16(28, true);
  const extraEnd = nameEnd + view.getUint16(30, true);
  const length = extraEnd + view.getUint16(32, true);
  if (length > bytes.byteLength) throw new WeightsFileError("its zip directory is damaged");

  const name = new TextDecoder().decode(bytes.subarray(46, nameEnd));
  const method = view.getUint16(10, true);
  if (view.getUint16(8, true) & 1) throw new WeightsFileError(`entry "${name}" is encrypted`);
  if (method !== 0 && method !== 8) {
    throw new WeightsFileError(
      `entry "${name}" is packed by method ${method}, expected stored or deflated`,
    );
  }
  const entry = {
    name,
    deflated: method === 8,
    crc: view.getUint32(16, true),
    ...parseSizes(view, bytes.subarray(nameEnd, extraEnd)),
  };
  if (!entry.deflated && entry.size !== entry.compressedSize) {
    throw new WeightsFileError(`entry "${name}" is stored, yet its two sizes differ`);
  }
  return { entry, length };
}

/** Sizes and offset; those that do not fit 32 bits stand in the 64-bit extra field, in this order. */
function parseSizes(view: DataView, extra: Uint8Array) {
  const wide = findExtra64(extra);
  let at = 0;
  const next = (narrow: number): number => {
    if (narrow !== IN_ZIP64) return narrow;
    if (!wide || at + 8 > wide.byteLength) {
      throw new WeightsFileError("its zip directory is damaged");
    }
    at += 8;
    return toSize(wide, at - 8);
  };
  const size = next(view.getUint32(24, true));
  const compressedSize = next(view.getUint32(20, true));
  const headerOffset = next(view.getUint32(42, true));
  return { size, compressedSize, headerOffset };
}

function findExtra64(extra: Uint8Array): DataView | undefined {
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const end = at + 4 + view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === 1) return viewOf(extra.subarray(at + 4, end));
    at = end;
  }
  return undefined;
}

function toSize(view: DataView, at: number): number {
  const size = view.getBigUint64(at, true);
  if (size <= Number.MAX_SAFE_INTEGER) return Number(size);
  throw new WeightsFileError(`its zip directory announces ${size} bytes`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
