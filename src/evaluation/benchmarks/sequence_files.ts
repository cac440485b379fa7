/** What the readers of benchmark folders have in common. */
import { join } from "@std/path";
import { imageSize } from "image-size";
import type { Size } from "../../geometry/boxes.ts";
import { parseNumberRows } from "../number_rows.ts";
import { type Region, toRegion } from "../region.ts";
import type { Sequence } from "../sequence.ts";

/** A sequence that was found, or one that cannot be used, with the reason. */
export type SequenceEntry =
  | { readonly kind: "sequence"; readonly sequence: Sequence }
  | { readonly kind: "missing"; readonly name: string; readonly reason: string };

/** Published results have a frame more than monkey-17 of LaSOT; pytracking's of OTB begin Tiger1 later. */
const PUBLISHED: Readonly<Record<string, Pick<Sequence, "mayExceed" | "mayOmit">>> = {
  "monkey-17": { mayExceed: true },
  Tiger1: { mayOmit: 5 },
};

/** How the lengths of published results on a sequence differ from its truth. */
export function publishedLengths(name: string): Pick<Sequence, "mayExceed" | "mayOmit"> {
  return PUBLISHED[name] ?? {};
}

/** Reads one sequence; one that is not there or damaged becomes an entry that says so. */
export async function enter(name: string, read: () => Promise<Sequence>): Promise<SequenceEntry> {
  try {
    return { kind: "sequence", sequence: await read() };
  } catch (error) {
    const isExpected = error instanceof Deno.errors.NotFound || error instanceof SyntaxError ||
      error instanceof RangeError || error instanceof Deno.errors.NotADirectory;
    if (!isExpected) throw error;
    return { kind: "missing", name, reason: error.message };
  }
}

/** Reads a truth file: a box or a polygon a line; a line of NaN, or of one number, is no target. */
export async function readTruth(path: string): Promise<(Region | null)[]> {
  const rows = parseNumberRows(await Deno.readFile(path), path);
  if (rows.length === 0) throw new SyntaxError(`Cannot read "${path}": it is empty`);
  return Array.from(rows, (row, i) => {
    const region = row.length === 1 ? null : toRegion(row);
    if (region !== undefined) return region;
    throw new SyntaxError(
      `Cannot read "${path}", line ${i + 1}: found ${row.length} numbers, ` +
        `expected 4 (left, top, width, height) or 8 (a polygon)`,
    );
  });
}

/** All numbers of a file of labels, however they are laid out. */
export async function readLabels(path: string): Promise<number[]> {
  return [...parseNumberRows(await Deno.readFile(path), path).numbers];
}

/** {@linkcode readLabels} of a file that need not be there. */
export async function readOptionalLabels(path: string): Promise<number[] | undefined> {
  return await ifFound(readLabels(path));
}

/** What a promise brings, or undefined if it fails because a file is not there. */
export async function ifFound<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** Whether an error says that there is no such file, or that none could have such a name. */
function isAbsence(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
    (error as { code?: string }).code === "ENAMETOOLONG";
}

/** Names whose flag is set; all flags are unset where there is no file. */
export async function readAttributes(path: string, names: readonly string[]): Promise<string[]> {
  const flags = await readOptionalLabels(path) ?? [];
  return names.filter((_, i) => flags[i] > 0);
}

const PICTURE = /\.(jpe?g|png)$/i;

/**
 * The picture files of a folder, by name; digits in names count as numbers.
 *
 * @throws {Deno.errors.NotFound} If there is no such folder.
 */
export async function listPictures(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (!isDirectory && PICTURE.test(name)) names.push(name);
  }
  const order = new Intl.Collator("en", { numeric: true }).compare;
  return names.sort((a, b) => order(a, b) || (a < b ? -1 : 1)).map((name) => join(folder, name));
}

/**
 * The pictures of a sequence, in order.
 *
 * @param start Number of the first one, from 1; a folder cut to the frames of the truth begins with it.
 * @returns Empty if there is no such folder: scoring needs no pictures.
 * @throws {RangeError} If there are pictures, but fewer than frames.
 */
export async function framesFor(
  folder: string,
  frames: number,
  { start = 1 } = {},
): Promise<string[]> {
  const pictures = await ifFound(listPictures(folder)) ?? [];
  const skipped = pictures.length === frames ? 0 : start - 1;
  const found = pictures.slice(skipped, skipped + frames);
  if (pictures.length > 0 && found.length < frames) {
    throw new RangeError(
      `Cannot use "${folder}": found ${found.length} pictures, expected ${frames} as in the truth`,
    );
  }
  return found;
}

/** Enough for the header of nearly every picture. */
const HEADER_BYTES = 1 << 16;

/** Size of a picture from its header; undefined if there is no picture or it is damaged. */
export async function pictureSize(path: string | undefined): Promise<Size | undefined> {
  if (path === undefined) return undefined;
  const header = await ifFound(readStart(path));
  if (!header) return undefined;
  // Metadata before the size may be longer than the part that was read.
  return sizeOf(header) ?? sizeOf(await Deno.readFile(path));
}

function sizeOf(bytes: Uint8Array): Size | undefined {
  try {
    const { width, height } = imageSize(bytes);
    return width > 0 && height > 0 ? { w: width, h: height } : undefined;
  } catch {
    return undefined;
  }
}

async function readStart(path: string): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(HEADER_BYTES);
  return bytes.subarray(0, await file.read(bytes) ?? 0);
}

/** Lines of a file of names, without blank ones. */
export async function readNames(path: string): Promise<string[]> {
  return (await Deno.readTextFile(path)).split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
}

/** Names of the folders in a folder, in order. */
export async function listFolders(path: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(path)) {
    if (
      entry.isDirectory || entry.isSymlink && (await Deno.stat(`${path}/${entry.name}`)).isDirectory
    ) {
      names.push(entry.name);
    }
  }
  return names.sort();
}
