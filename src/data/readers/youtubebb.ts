import { join } from "@std/path";
import type { Corner } from "../../geometry/boxes.ts";
import { decodeImage } from "../../image/decode.ts";
import type { ReadFault, Track, TrackReaderOptions } from "../track.ts";
import { readCsvRows } from "./csv_rows.ts";
import { joinPieces } from "./join_pieces.ts";
import { isThere, locateRoot, toFault } from "./folders.ts";

/** The parts of the set: a CSV file and a folder of frames each. */
export const YOUTUBEBB_PARTS = {
  val: "yt_bb_detection_validation",
  train: "yt_bb_detection_train",
} as const;

/**
 * YouTube-BoundingBoxes (arXiv:1702.00824): `<part>.csv` without a header (youtube id, millisecond,
 * class id and name, object id, presence, xmin, xmax, ymin, ymax as parts of the picture) and the
 * decoded frames `<part>/<class id>/<youtube id>_<millisecond>_<class id>_<object id>.jpg`. A frame's
 * number is its second. Frames that could not be downloaded are left out.
 *
 * Parity: the published annotations keep the parts of the picture; here they are pixels. The names
 * of videos begin with `./`, as published.
 */
export async function* readYoutubeBb(
  options: TrackReaderOptions,
): AsyncGenerator<Track | ReadFault> {
  const root = await locateYoutubeBb(options.root);
  for (const split of ["val", "train"] as const) {
    const csv = await csvOf(root, YOUTUBEBB_PARTS[split]);
    if (csv === undefined) continue;
    const part = { root, name: YOUTUBEBB_PARTS[split], split };
    yield* joinPieces(readRows(csv, part, options.asPublished ?? false));
  }
}

async function* readRows(
  csv: string,
  part: BbPart,
  asPublished: boolean,
): AsyncGenerator<Track | ReadFault> {
  const ended = new Set<string>();
  try {
    for await (const { line, ...found } of readCsvRows(csv)) {
      const row = "fault" in found ? found.fault : toRow(found.fields);
      if (typeof row === "string") yield toFault(csv, `line ${line}: ${row}`);
      else if (row.presence !== "absent") {
        yield asPublished ? await publishedTrack(row, part, ended) : toTrack(row, part);
      }
    }
  } catch (error) {
    yield toFault(csv, error);
  }
}

/**
 * The folder of the set: it holds one of the CSV files.
 *
 * @throws {RangeError} If neither `root` nor a folder in it is one.
 */
export async function locateYoutubeBb(root: string): Promise<string> {
  const found = await locateRoot(root, async (folder) => {
    const files = Object.values(YOUTUBEBB_PARTS).map((part) => csvOf(folder, part));
    return (await Promise.all(files)).some((file) => file !== undefined);
  });
  if (found !== undefined) return found;
  throw new RangeError(
    `Cannot read "${root}" as YouTube-BB: there is no ${YOUTUBEBB_PARTS.train}.csv, expected the ` +
      "folder with the CSV files",
  );
}

async function csvOf(folder: string, part: string): Promise<string | undefined> {
  for (const end of [".csv", ".csv.gz"]) {
    if (await isThere(join(folder, part + end))) return join(folder, part + end);
  }
}

interface BbPart {
  readonly root: string;
  readonly name: string;
  readonly split: "train" | "val";
}

interface BbRow {
  readonly youtubeId: string;
  readonly milliseconds: string;
  readonly classId: string;
  readonly objectId: string;
  readonly presence: string;
  /** xmin, xmax, ymin, ymax. */
  readonly sides: readonly number[];
}

/** Parses a row, or says what is wrong with it. */
function toRow(fields: readonly string[]): BbRow | string {
  if (fields.length !== 10) return `found ${fields.length} columns, expected 10`;
  const [youtubeId, milliseconds, classId, , objectId, presence, ...rest] = fields;
  const whole = [milliseconds, classId, objectId].map((text) => text.trim());
  const strange = whole.find((text) => !/^\d+$/.test(text));
  if (strange !== undefined) return `"${strange}" is no whole number`;
  const sides = rest.map((text) => text.trim() === "" ? NaN : Number(text));
  // Parity: pandas reads numbers as numbers, so leading zeros are gone.
  const [ms, cls, obj] = whole.map((text) => String(Number(text)));
  return { youtubeId, milliseconds: ms, classId: cls, objectId: obj, presence, sides };
}

function toTrack(row: BbRow, part: BbPart): Track {
  const { image, number, ...common } = describe(row, part);
  const refused = isWrong(row)
    ? { refused: "the box is inverted or begins outside the picture" }
    : {};
  return { ...common, frames: [{ number, image, box: toCorner(row), ...refused }] };
}

/**
 * Parity: what par_crop.py and gen_json.py of training_dataset/yt_bb make of a row. A later row of the
 * same second replaces an earlier one if its frame is there; a picture that cannot be read ends the
 * video, whatever its class.
 *
 * @param ended Youtube ids of the videos that have ended.
 */
async function publishedTrack(row: BbRow, part: BbPart, ended: Set<string>): Promise<Track> {
  const { image, number, ...common } = describe(row, part);
  const isOpen = !ended.has(row.youtubeId) && await isThere(image.path);
  if (isOpen && !await canBeRead(image.path)) ended.add(row.youtubeId);
  const isCut = isOpen && !ended.has(row.youtubeId) && !isWrong(row);
  const box = toCorner(row);
  const frame = { number, image, box: isCut ? box : null, entry: isWrong(row) ? null : box };
  return { ...common, boxRule: "any", frames: [frame] };
}

function describe({ youtubeId, milliseconds, classId, objectId }: BbRow, part: BbPart) {
  const { root, name, split } = part;
  const file = `${youtubeId}_${milliseconds}_${classId}_${objectId}.jpg`;
  return {
    image: { kind: "file", path: join(root, name, classId, file) },
    number: Math.floor(Number(milliseconds) / 1000),
    video: `./${name}/${classId}/${youtubeId}`,
    id: objectId.padStart(2, "0"),
    split,
    boxUnit: "picture",
    keep: "nothing",
    missing: "refuse",
  } as const;
}

function toCorner({ sides: [x1, x2, y1, y2] }: BbRow): Corner {
  return { x1, y1, x2, y2 };
}

function isWrong({ sides: [x1, x2, y1, y2] }: BbRow): boolean {
  return x1 < 0 || x2 < 0 || y1 < 0 || y2 < 0 || y2 < y1 || x2 < x1;
}

/** Whether a picture decodes; one with the marks of a whole JPEG is taken to. */
async function canBeRead(path: string): Promise<boolean> {
  const bytes = await Deno.readFile(path);
  const ends = [...bytes.subarray(0, 3), ...bytes.subarray(-2)];
  if (ends.join() === "255,216,255,255,217") return true;
  return await decodeImage(bytes).then(() => true, () => false);
}
