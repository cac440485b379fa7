import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import {
  INDEX_HEADER,
  type IndexCounts,
  indexHeader,
  type IndexSource,
} from "./annotation_index.ts";
import { AnnotationCollector, type AnnotationOutline, type BoxSink } from "./annotation_table.ts";
import { collectAnnotations } from "./annotations.ts";
import type { ByteSource } from "./json_scanner.ts";

/** Boxes that go to the disk at once. */
const BUFFERED_BOXES = 1 << 15;

/**
 * Makes the index of an annotation file in one pass. Boxes go to the disk as they come, so that memory
 * holds 4 bytes a box, and what tracks and videos need.
 *
 * @param to New file; the caller renames it when it is whole.
 * @returns Which annotation file it was made of.
 * @throws {SyntaxError} As `readAnnotations()`.
 */
export function writeIndex(path: string, to: string): IndexSource {
  using source = Deno.openSync(path);
  const { size, modifiedMs, changedMs } = stampOf(source.statSync());
  const seenMs = Date.now();
  using file = Deno.openSync(to, { create: true, read: true, write: true, truncate: true });
  file.seekSync(INDEX_HEADER, Deno.SeekMode.Start);
  const hash = createHash("sha256");
  const hashed: ByteSource = {
    readSync(into) {
      const count = source.readSync(into);
      if (count !== null) hash.update(into.subarray(0, count));
      return count;
    },
  };
  const boxes = new BoxFile(file);
  const collector = new AnnotationCollector(boxes);
  const droppedBoxes = collectAnnotations(hashed, path, collector);
  const outline = collector.finish();
  const coordinateBytes = boxes.finish();
  writeOutline(file, boxes.frames, outline);
  const counts = { ...countsOf(outline), droppedBoxes, coordinateBytes };
  const made = { size, modifiedMs, changedMs, seenMs, sha256: hash.digest() };
  const header = indexHeader(made, counts, checksumOf(file));
  file.seekSync(0, Deno.SeekMode.Start);
  writeAll(file, header);
  file.syncDataSync();
  return made;
}

/** What tells a changed file without reading it. */
export function stampOf({ size, mtime, ctime }: Deno.FileInfo) {
  return { size, modifiedMs: mtime?.getTime() ?? 0, changedMs: ctime?.getTime() ?? 0 };
}

/** Writes corners to a file and keeps frame numbers. */
class BoxFile implements BoxSink {
  readonly frames: Int32Array[] = [];
  readonly #file: Deno.FsFile;
  readonly #buffer = new Float64Array(4 * BUFFERED_BOXES);
  readonly #frames = new Int32Array(BUFFERED_BOXES);
  #held = 0;
  #count = 0;
  /** Whether single precision holds every coordinate so far. */
  #single = true;

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  add(frames: Int32Array, boxes: Float64Array): void {
    for (let done = 0; done < frames.length;) {
      const count = Math.min(frames.length - done, BUFFERED_BOXES - this.#held);
      this.#frames.set(frames.subarray(done, done + count), this.#held);
      this.#buffer.set(boxes.subarray(4 * done, 4 * (done + count)), 4 * this.#held);
      this.#held += count;
      done += count;
      if (this.#held === BUFFERED_BOXES) this.#flush();
    }
  }

  #flush(): void {
    const boxes = this.#buffer.subarray(0, 4 * this.#held);
    this.#single &&= boxes.every((value) => Math.fround(value) === value);
    this.frames.push(this.#frames.slice(0, this.#held));
    writeAll(this.#file, bytesOf(boxes));
    this.#count += this.#held;
    this.#held = 0;
  }

  /**
   * Writes what is left, and packs the corners tighter where nothing is lost by it; the file then
   * stands behind them.
   *
   * @returns Bytes of a coordinate.
   */
  finish(): number {
    this.#flush();
    if (!this.#single) return 8;
    const wide = this.#buffer, narrow = new Float32Array(wide.length);
    for (let done = 0; done < this.#count; done += BUFFERED_BOXES) {
      const length = 4 * Math.min(BUFFERED_BOXES, this.#count - done);
      this.#file.seekSync(INDEX_HEADER + 32 * done, Deno.SeekMode.Start);
      readAll(this.#file, bytesOf(wide.subarray(0, length)));
      narrow.set(wide.subarray(0, length));
      this.#file.seekSync(INDEX_HEADER + 16 * done, Deno.SeekMode.Start);
      writeAll(this.#file, bytesOf(narrow.subarray(0, length)));
    }
    this.#file.truncateSync(INDEX_HEADER + 16 * this.#count);
    this.#file.seekSync(0, Deno.SeekMode.End);
    return 4;
  }
}

function countsOf({ videos, trackNames, trackName, boxStart }: AnnotationOutline) {
  return {
    videos: videos.starts.length - 1,
    tracks: trackName.length,
    boxes: boxStart[boxStart.length - 1],
    trackNames: trackNames.starts.length - 1,
    videoBytes: videos.bytes.length,
    trackNameBytes: trackNames.bytes.length,
  } satisfies Partial<IndexCounts>;
}

/** Writes the columns behind the boxes, in the order of `layoutOf()`. */
function writeOutline(
  file: Deno.FsFile,
  frames: readonly Int32Array[],
  { boxStart, trackName, trackStart, videos, trackNames }: AnnotationOutline,
): void {
  for (const part of frames) writeAll(file, bytesOf(part));
  pad(file);
  const columns = [
    boxStart,
    trackName,
    trackStart,
    videos.starts,
    trackNames.starts,
    videos.bytes,
    trackNames.bytes,
  ];
  for (const column of columns) {
    writeAll(file, bytesOf(column));
    pad(file);
  }
}

/** Goes on to a multiple of 8 bytes. */
function pad(file: Deno.FsFile): void {
  const at = file.seekSync(0, Deno.SeekMode.Current);
  writeAll(file, new Uint8Array(Math.ceil(at / 8) * 8 - at));
}

/** Of all behind the header. */
function checksumOf(file: Deno.FsFile): number {
  const chunk = new Uint8Array(1 << 22);
  file.seekSync(INDEX_HEADER, Deno.SeekMode.Start);
  let checksum = 0;
  for (let count = file.readSync(chunk); count !== null; count = file.readSync(chunk)) {
    checksum = crc32(chunk.subarray(0, count), checksum);
  }
  return checksum;
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  while (bytes.length > 0) bytes = bytes.subarray(file.writeSync(bytes));
}

function readAll(file: Deno.FsFile, into: Uint8Array): void {
  while (into.length > 0) {
    const count = file.readSync(into);
    if (count === null) throw new RangeError("Cannot read back an index: it ends early");
    into = into.subarray(count);
  }
}
