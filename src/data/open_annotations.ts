import { basename, dirname, join } from "@std/path";
import {
  type AnnotationIndex,
  hashFile,
  INDEX_HEADER,
  INDEX_SUFFIX,
  type OpenedIndex,
  parseHeader,
  readColumns,
} from "./annotation_index.ts";
import { stampOf, writeIndex } from "./annotation_index_writer.ts";
import { AnnotationTable } from "./annotation_table.ts";
import { type Annotations, readAnnotations } from "./annotations.ts";

/** Where a table came from: the index, a new index, or, where none can be written, the text. */
export type AnnotationOrigin = "index" | "new index" | "text";

/** Times of a file system may be as coarse as this; a change so soon after a look can be hidden. */
const COARSE_MS = 3000;

/** An index that has not been written to for so long is not being written any more. */
const ABANDONED_MS = 3600_000;

/**
 * Opens an annotation file through its binary index, which is made at the first time and whenever the
 * annotation file has another content. An index that is damaged is made again. Where the folder cannot
 * be written, the text is read each time.
 *
 * The content is compared by SHA-256, unless size and both times of the file say that nobody has
 * touched it since the index was made.
 *
 * @throws {SyntaxError} If the annotation file is damaged; names file, line, video, track, frame.
 * @throws {Deno.errors.NotFound} If there is no such file.
 */
export function openAnnotations(path: string): Annotations & { readonly origin: AnnotationOrigin } {
  const found = readIndex(path);
  if (found) return result(found, "index");
  const partial = `${path}${INDEX_SUFFIX}.${crypto.randomUUID()}`;
  try {
    writeIndex(path, partial);
    Deno.renameSync(partial, path + INDEX_SUFFIX);
    removeAbandoned(path);
  } catch (error) {
    removeIfThere(partial);
    if (isUnwritable(error)) return { ...readAnnotations(path), origin: "text" };
    throw error;
  }
  const made = readIndex(path);
  // Somebody writes the annotation file at this moment; what is read now is at least of one piece.
  return made ? result(made, "new index") : { ...readAnnotations(path), origin: "text" };
}

function result({ columns, droppedBoxes }: AnnotationIndex, origin: AnnotationOrigin) {
  return { table: new AnnotationTable(columns), droppedBoxes, origin };
}

/** The index, if there is a whole one of this annotation file. */
function readIndex(path: string): AnnotationIndex | undefined {
  const stamp = stampOf(Deno.statSync(path));
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path + INDEX_SUFFIX);
  } catch {
    return undefined; // there is none yet, or none for us
  }
  try {
    const header = new Uint8Array(INDEX_HEADER);
    const count = file.readSync(header) ?? 0;
    const index = parseHeader(header.subarray(0, count), file.statSync().size);
    if (!index || index.source.size !== stamp.size) return undefined;
    if (!isUntouched(index, stamp) && !isSame(hashFile(path), index.source.sha256)) {
      return undefined;
    }
    return readColumns(file, index);
  } finally {
    file.close();
  }
}

function isUntouched({ source }: OpenedIndex, stamp: ReturnType<typeof stampOf>): boolean {
  return source.modifiedMs === stamp.modifiedMs && source.changedMs === stamp.changedMs &&
    stamp.changedMs > 0 && stamp.changedMs < source.seenMs - COARSE_MS;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i]);
}

function isUnwritable(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable ||
    error instanceof Error && /os error (28|30|122)\b/.test(error.message); // full, read-only, quota
}

/** Removes what processes that were killed have left of an index; a folder that forbids it stays. */
function removeAbandoned(path: string): void {
  const folder = dirname(path), start = `${basename(path)}${INDEX_SUFFIX}.`;
  try {
    for (const { name } of Deno.readDirSync(folder)) {
      if (!name.startsWith(start)) continue;
      const { mtime } = Deno.statSync(join(folder, name));
      if (Date.now() - Number(mtime) > ABANDONED_MS) removeIfThere(join(folder, name));
    }
  } catch {
    // another process tidies up as well, or the folder cannot be read
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // it was never made, or lies where nothing can be written
  }
}
