/**
 * The reference's annotation files: `{video: {track: {frame: [x1, y1, x2, y2]}}}`, boxes in pixels
 * of the original frame, keys sorted, indented by 4 (training_dataset/<set>/gen_json.py).
 *
 * @module
 */
import { type AnnotatedTrack, annotationPieces } from "./annotation_writer.ts";
import {
  type AnnotationCollector,
  type AnnotationTable,
  AnnotationTableBuilder,
} from "./annotation_table.ts";
import { type ByteSource, JsonScanner } from "./json_scanner.ts";
import type { Corner } from "../geometry/boxes.ts";
import { writeWhole } from "./whole_file.ts";

/** What {@linkcode readAnnotations} found. */
export interface Annotations {
  readonly table: AnnotationTable;
  /** Boxes left out because they have no area or are not finite. */
  readonly droppedBoxes: number;
}

/**
 * Reads an annotation file of any size in one pass. A box `[w, h]` is taken as `[0, 0, w, h]`,
 * because training asks for sizes only; a box without area is left out, and so are tracks and
 * videos that have no box (`_filter_zero` of siamban/datasets/dataset.py); a key that is not a
 * frame number and an entry that is an object are passed over, as the reference does.
 *
 * @throws {SyntaxError} If the text is not of this form; names file, line, video, track, frame.
 * @throws {Deno.errors.NotFound} If there is no such file.
 */
export function readAnnotations(path: string | URL): Annotations {
  using file = Deno.openSync(path);
  return parseAnnotations(file, String(path));
}

/** {@linkcode readAnnotations} on bytes from elsewhere; `name` is what errors call them. */
export function parseAnnotations(source: ByteSource, name: string): Annotations {
  const builder = new AnnotationTableBuilder();
  const droppedBoxes = collectAnnotations(source, name, builder);
  return { table: builder.build(), droppedBoxes };
}

/**
 * {@linkcode parseAnnotations} into a collector.
 *
 * @returns Boxes left out because they have no area or are not finite.
 */
export function collectAnnotations(
  source: ByteSource,
  name: string,
  collector: AnnotationCollector,
): number {
  const scanner = new JsonScanner(source, { name });
  const seen = new Set<string>();
  let droppedBoxes = 0;
  for (const video of scanner.members()) {
    if (seen.has(video)) scanner.fail(`video "${video}" stands there twice`);
    seen.add(video);
    collector.startVideo(video);
    const tracks = new Set<string>();
    for (const track of scanner.members()) {
      if (tracks.has(track)) scanner.fail(`video "${video}" has track "${track}" twice`);
      tracks.add(track);
      collector.startTrack(track);
      droppedBoxes += collectTrack(scanner, collector, { video, track });
      collector.dropEmpty("track");
      endTrack(scanner, collector);
    }
    collector.dropEmpty("video");
  }
  if (scanner.peek() !== "") scanner.fail("text follows the end of the annotations");
  return droppedBoxes;
}

/** "7" and "000007" are one frame: what the collector finds is told with its place in the file. */
function endTrack(scanner: JsonScanner, collector: AnnotationCollector): void {
  try {
    collector.endTrack();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    scanner.fail(error.message.replace(/^Cannot build annotations: /, ""));
  }
}

/** @returns Boxes left out. */
function collectTrack(
  scanner: JsonScanner,
  collector: AnnotationCollector,
  names: { readonly video: string; readonly track: string },
): number {
  const box = new Float64Array(4);
  let dropped = 0;
  scanner.expect("{");
  if (scanner.take("}")) return 0;
  do {
    // Nearly every key is a short row of digits, of which no text is made.
    const digits = scanner.digitKey();
    const key = digits === undefined ? scanner.string() : digits;
    scanner.expect(":");
    if (!readBox(scanner, box, { ...names, key })) continue;
    if (typeof key === "string" && !/^\d+$/.test(key)) continue;
    const [x1, y1, x2, y2] = box;
    if (hasArea({ x1, y1, x2, y2 })) {
      collector.addNumbers(toFrameNumber(scanner, key), x1, y1, x2, y2);
    } else dropped++;
  } while (scanner.take(","));
  scanner.expect("}");
  return dropped;
}

/** Reads a box; false if it is an object, which is passed over. */
function readBox(
  scanner: JsonScanner,
  box: Float64Array,
  { video, track, key }: { video: string; track: string; key: string | number },
): boolean {
  const fail = (problem: string) =>
    scanner.fail(`video "${video}" track "${track}" frame "${key}" ${problem}`);
  if (scanner.peek() === "{") {
    scanner.skipValue();
    return false;
  }
  if (scanner.peek() !== "[") fail("is no box, expected [x1, y1, x2, y2] or [w, h]");
  const count = scanner.numbersInto(box);
  if (count !== 4 && count !== 2) fail(`has ${count} numbers, expected 4 (corners) or 2 (size)`);
  if (count === 2) box.set([0, 0, box[0], box[1]]);
  return true;
}

function toFrameNumber(scanner: JsonScanner, key: string | number): number {
  const number = Number(key);
  if (number < 2 ** 31) return number;
  return scanner.fail(`frame "${key}" is beyond 2147483647`);
}

/** Whether a box is finite and has a positive width and height. */
export function hasArea({ x1, y1, x2, y2 }: Corner): boolean {
  // A sum is finite only if each of its terms is; overflow of finite ones would need 1e308 pixels.
  return x2 - x1 > 0 && y2 - y1 > 0 && Number.isFinite(x1 + y1 + x2 + y2);
}

/** `7` to `000007`: the form of a frame number in annotation files and crop names. */
export function formatFrame(frame: number): string {
  return String(frame).padStart(6, "0");
}

/**
 * Writes an annotation file: aside first, then renamed, so that half a file is never taken for a
 * whole one.
 */
export async function writeAnnotations(path: string, table: AnnotationTable): Promise<void> {
  await writeWhole(path, annotationText(table));
}

/** The text of an annotation file, piece by piece. */
export function annotationText(table: AnnotationTable): Generator<string> {
  return annotationPieces(tracksInOrder(table));
}

function* tracksInOrder(table: AnnotationTable): Generator<AnnotatedTrack> {
  for (const video of sortedByName(0, table.videoCount, (video) => table.videoName(video))) {
    const { start, end } = table.tracksOf(video);
    const name = table.videoName(video);
    if (start === end) yield { video: name };
    for (const track of sortedByName(start, end, (track) => table.trackName(track))) {
      yield { video: name, track: table.trackName(track), boxes: boxesInOrder(table, track) };
    }
  }
}

function boxesInOrder(table: AnnotationTable, track: number): AnnotatedTrack["boxes"] {
  const { start, end } = table.boxesOf(track);
  return sortedByName(start, end, (box) => formatFrame(table.frame(box))).map((box) => {
    const { x1, y1, x2, y2 } = table.box(box);
    return { frame: formatFrame(table.frame(box)), numbers: [x1, y1, x2, y2] };
  });
}

function sortedByName(start: number, end: number, name: (i: number) => string): number[] {
  const named = Array.from(
    { length: end - start },
    (_, i) => ({ i: start + i, name: name(start + i) }),
  );
  return named.sort((a, b) => compareCodePoints(a.name, b.name)).map(({ i }) => i);
}

/** Python's order of strings; JavaScript's differs above U+FFFF. */
export function compareCodePoints(a: string, b: string): number {
  if (a === b) return 0;
  const bs = b[Symbol.iterator]();
  for (const character of a) {
    const other = bs.next();
    if (other.done) return 1;
    if (character !== other.value) return character.codePointAt(0)! - other.value.codePointAt(0)!;
  }
  return -1;
}
