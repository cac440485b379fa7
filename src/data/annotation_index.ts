/**
 * The binary index of an annotation file, `train.json.index`: written once, read in one go.
 *
 * A header of 192 bytes says which annotation file it was made of (size, times, SHA-256), how long
 * each column is, and the CRC-32 of all that follows: the columns of {@linkcode AnnotationTable},
 * little-endian, each from a multiple of 8 bytes on.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { AnnotationColumns } from "./annotation_table.ts";

/** Suffix of an index, behind the annotation file's name. */
export const INDEX_SUFFIX = ".index";
/** Bytes of the header. */
export const INDEX_HEADER = 192;

const MAGIC = "SBANBOX1";
/** Bytes read or written at once. */
const CHUNK = 1 << 22;
/** Places in the header. */
const SOURCE_AT = 8, SHA_AT = 40, CRC_AT = 72, COUNTS_AT = 80;

/** Which annotation file an index was made of. */
export interface IndexSource {
  /** Bytes. */
  readonly size: number;
  readonly modifiedMs: number;
  /** Last change of content or attributes, which nobody can set back. */
  readonly changedMs: number;
  /** When the file was looked at. */
  readonly seenMs: number;
  /** SHA-256 of the content, 32 bytes. */
  readonly sha256: Uint8Array;
}

/** Lengths of the columns. */
export interface IndexCounts {
  readonly videos: number;
  readonly tracks: number;
  readonly boxes: number;
  readonly trackNames: number;
  readonly videoBytes: number;
  readonly trackNameBytes: number;
  /** Boxes that the annotation file has and the columns do not. */
  readonly droppedBoxes: number;
  /** Bytes of a coordinate: 4 or 8. */
  readonly coordinateBytes: number;
}

/** A whole index. */
export interface AnnotationIndex {
  readonly columns: AnnotationColumns;
  readonly droppedBoxes: number;
}

const COUNTS = [
  "videos",
  "tracks",
  "boxes",
  "trackNames",
  "videoBytes",
  "trackNameBytes",
  "droppedBoxes",
  "coordinateBytes",
] as const satisfies readonly (keyof IndexCounts)[];

/** The header of an index. */
export function indexHeader(
  source: IndexSource,
  counts: IndexCounts,
  checksum: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(INDEX_HEADER), view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(MAGIC));
  const { size, modifiedMs, changedMs, seenMs } = source;
  [size, modifiedMs, changedMs, seenMs].forEach((number, i) =>
    view.setFloat64(SOURCE_AT + 8 * i, number, true)
  );
  bytes.set(source.sha256, SHA_AT);
  view.setUint32(CRC_AT, checksum, true);
  COUNTS.forEach((name, i) => view.setFloat64(COUNTS_AT + 8 * i, counts[name], true));
  return bytes;
}

/** An index that was opened, its columns not read. */
export interface OpenedIndex {
  readonly source: IndexSource;
  readonly counts: IndexCounts;
  readonly checksum: number;
}

/** Reads a header; undefined if it is none, or the file is not as long as it says. */
export function parseHeader(bytes: Uint8Array, fileSize: number): OpenedIndex | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < INDEX_HEADER) return undefined;
  if (new TextDecoder().decode(bytes.subarray(0, 8)) !== MAGIC) return undefined;
  const [size, modifiedMs, changedMs, seenMs] = [0, 1, 2, 3].map((i) =>
    view.getFloat64(SOURCE_AT + 8 * i, true)
  );
  const sha256 = bytes.slice(SHA_AT, SHA_AT + 32);
  const entries = COUNTS.map((name, i) => [name, view.getFloat64(COUNTS_AT + 8 * i, true)]);
  const counts: IndexCounts = Object.fromEntries(entries);
  if (Object.values(counts).some((count) => !Number.isSafeInteger(count) || count < 0)) {
    return undefined;
  }
  if (counts.coordinateBytes !== 4 && counts.coordinateBytes !== 8) return undefined;
  if (layoutOf(counts).end !== fileSize) return undefined;
  const source = { size, modifiedMs, changedMs, seenMs, sha256 };
  return { source, counts, checksum: view.getUint32(CRC_AT, true) };
}

/** First byte of each column in the file, and the end of the last. */
export function layoutOf(counts: IndexCounts) {
  let at = INDEX_HEADER;
  const next = (bytes: number) => {
    const start = at;
    at = start + Math.ceil(bytes / 8) * 8;
    return start;
  };
  return {
    boxes: next(4 * counts.coordinateBytes * counts.boxes),
    frames: next(4 * counts.boxes),
    boxStart: next(4 * (counts.tracks + 1)),
    trackName: next(4 * counts.tracks),
    trackStart: next(4 * (counts.videos + 1)),
    videoStarts: next(4 * (counts.videos + 1)),
    nameStarts: next(4 * (counts.trackNames + 1)),
    videoBytes: next(counts.videoBytes),
    nameBytes: next(counts.trackNameBytes),
    end: at,
  };
}

/**
 * Reads the columns of an index into shared memory.
 *
 * @param file Open, at any place.
 * @returns Undefined if the checksum is not right.
 */
export function readColumns(file: Deno.FsFile, index: OpenedIndex): AnnotationIndex | undefined {
  const { counts, checksum } = index, layout = layoutOf(counts);
  const memory = new SharedArrayBuffer(layout.end - INDEX_HEADER);
  const bytes = new Uint8Array(memory);
  file.seekSync(INDEX_HEADER, Deno.SeekMode.Start);
  let found = 0;
  for (let at = 0; at < bytes.length;) {
    const part = bytes.subarray(at, at + CHUNK);
    const count = file.readSync(part);
    if (count === null) return undefined;
    found = crc32(part.subarray(0, count), found);
    at += count;
  }
  if (found !== checksum) return undefined;
  const words = (start: number, length: number) =>
    new Uint32Array(memory, start - INDEX_HEADER, length);
  const text = (start: number, length: number) =>
    new Uint8Array(memory, start - INDEX_HEADER, length);
  const { videos, tracks, boxes, trackNames } = counts;
  const columns = {
    videos: {
      bytes: text(layout.videoBytes, counts.videoBytes),
      starts: words(layout.videoStarts, videos + 1),
    },
    trackNames: {
      bytes: text(layout.nameBytes, counts.trackNameBytes),
      starts: words(layout.nameStarts, trackNames + 1),
    },
    trackStart: words(layout.trackStart, videos + 1),
    trackName: words(layout.trackName, tracks),
    boxStart: words(layout.boxStart, tracks + 1),
    frames: new Int32Array(memory, layout.frames - INDEX_HEADER, boxes),
    boxes: counts.coordinateBytes === 4
      ? new Float32Array(memory, layout.boxes - INDEX_HEADER, 4 * boxes)
      : new Float64Array(memory, layout.boxes - INDEX_HEADER, 4 * boxes),
  };
  return areSound(columns) ? { columns, droppedBoxes: counts.droppedBoxes } : undefined;
}

/**
 * Whether columns that refer to others refer to what is there. The checksum covers neither the header
 * nor what somebody wrote on purpose.
 */
function areSound({ videos, trackNames, ...columns }: AnnotationColumns): boolean {
  return isDivision(videos.starts, videos.bytes.length) &&
    isDivision(trackNames.starts, trackNames.bytes.length) &&
    isDivision(columns.trackStart, columns.trackName.length) &&
    isDivision(columns.boxStart, columns.frames.length) &&
    columns.trackName.every((name) => name < trackNames.starts.length - 1);
}

/** Whether starts rise from 0 to the end. */
function isDivision(starts: Uint32Array, end: number): boolean {
  let last = 0;
  for (const start of starts) {
    if (start < last) return false;
    last = start;
  }
  return starts[0] === 0 && last === end;
}

/** SHA-256 of a file. */
export function hashFile(path: string | URL): Uint8Array {
  using file = Deno.openSync(path);
  const hash = createHash("sha256"), chunk = new Uint8Array(CHUNK);
  for (let count = file.readSync(chunk); count !== null; count = file.readSync(chunk)) {
    hash.update(chunk.subarray(0, count));
  }
  return hash.digest();
}
