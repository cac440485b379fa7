import { basename, dirname, join } from "@std/path";
import { JsonScanner } from "../json_scanner.ts";
import type { ReadFault, Track, TrackReaderOptions } from "../track.ts";
import { isThere, listFolder, locateRoot, splitOfPath, toFault } from "./folders.ts";

/**
 * COCO instances: `annotations/instances_<part>.json` and the pictures in `<part>/`; or any file of
 * that form (`boxes`) with the folder of its pictures. Each picture is a video of one frame, each of
 * its annotations a track, numbered in the order of the file. Crowds are kept, as published, unless
 * `skipFlagged` says otherwise.
 *
 * The file is read twice and never held; only the names of its pictures are.
 */
export async function* readCoco(options: TrackReaderOptions): AsyncGenerator<Track | ReadFault> {
  for (const source of await cocoFiles(options)) {
    try {
      yield* readInstances(source, options);
    } catch (error) {
      // The records before the damage are used; what is lost is reported.
      yield toFault(source.file, error);
    }
  }
}

/** An instances file and where its pictures lie. */
export interface CocoFile {
  readonly file: string;
  readonly pictures: string;
  /** What the names of its videos begin with. */
  readonly part: string;
}

/**
 * The instances files of a set.
 *
 * @throws {RangeError} If there are none.
 */
export async function cocoFiles(
  { root, boxes }: Pick<TrackReaderOptions, "root" | "boxes">,
): Promise<CocoFile[]> {
  if (boxes) return [{ file: boxes, pictures: root, part: basename(root) }];
  if ((await Deno.stat(root)).isFile) {
    return [{ file: root, pictures: dirname(root), part: basename(dirname(root)) }];
  }
  const set = await locateRoot(root, async (folder) => (await instancesIn(folder)).length > 0);
  if (set !== undefined) {
    // Parity: the published scripts take val2017 first; the order does not show in the result.
    return (await instancesIn(set)).reverse().map((part) => ({
      file: join(set, "annotations", `instances_${part}.json`),
      pictures: join(set, part),
      part,
    }));
  }
  const { files } = await listFolder(root);
  const loose = files.filter((name) => name.endsWith(".json"));
  if (loose.length > 0) {
    return loose.map((name) => ({ file: join(root, name), pictures: root, part: stem(name) }));
  }
  throw new RangeError(
    `Cannot read "${root}" as COCO: there is no annotations/instances_….json, pass --boxes FILE`,
  );
}

/** Base names of the annotation files: those of the published scripts for COCO 2017. */
export async function annotationNames(
  format: string,
  options: Pick<TrackReaderOptions, "root" | "boxes">,
): Promise<{ train: string; val: string }> {
  const parts = format === "coco" ? (await cocoFiles(options)).map(({ part }) => part) : [];
  const isSet = parts.some((part) => /^(train|val)2017$/.test(part));
  return isSet ? { train: "train2017", val: "val2017" } : { train: "train", val: "val" };
}

async function instancesIn(folder: string): Promise<string[]> {
  const annotations = join(folder, "annotations");
  if (!await isThere(annotations)) return [];
  const { files } = await listFolder(annotations);
  return files.flatMap((name) => /^instances_(.+)\.json$/.exec(name)?.[1] ?? []);
}

function stem(path: string): string {
  return basename(path).split(".")[0];
}

async function* readInstances(
  { file, pictures, part }: CocoFile,
  { skipFlagged = false, asPublished = false }: TrackReaderOptions,
): AsyncGenerator<Track | ReadFault> {
  const names = new Map<number, string>();
  for (const { id, file_name } of records(file, "images")) {
    if (typeof id === "number" && typeof file_name === "string") names.set(id, file_name);
    else yield toFault(file, `a picture has the id ${id} and the name ${file_name}`);
  }
  const counts = new Map<number, number>();
  for (const { id, image_id, bbox, iscrowd } of records(file, "annotations")) {
    const name = names.get(image_id as number);
    if (name === undefined || !Array.isArray(bbox) || bbox.length !== 4) {
      yield toFault(file, `annotation ${id}: ${name === undefined ? "no such picture" : "no box"}`);
      continue;
    }
    const index = counts.get(image_id as number) ?? 0;
    counts.set(image_id as number, index + 1);
    const [x, y, w, h] = bbox as number[];
    const box = { x1: x, y1: y, x2: x + w, y2: y + h };
    const isDropped = w <= 0 || h <= 0;
    const video = `${part}/${stem(name)}`;
    const image = { kind: "file", path: await picturePath(pictures, name) } as const;
    const frame = { number: 0, image, box };
    const crowd = skipFlagged && iscrowd === 1 ? { refused: "the box is a crowd's" } : {};
    yield {
      video,
      id: String(index).padStart(2, "0"),
      split: splitOfPath(part),
      // Parity: a picture whose boxes are all dropped stays as `{}`.
      keep: "video",
      ...asPublished
        ? {
          boxRule: "any",
          entriesWithoutCrop: true,
          frames: [isDropped ? { ...frame, box: null, entry: null } : { ...frame, entry: box }],
        }
        : { frames: [{ ...frame, ...crowd }] },
    };
  }
}

function picturePath(folder: string, name: string): string {
  // A name may hold folders, but must not lead out of the set's.
  const parts = name.split("/").filter((part) => part !== "..");
  return join(folder, ...parts);
}

type Record_ = Readonly<Record<string, unknown>>;

/** The records of one list of the file; long lists in them, such as outlines, are passed over. */
function* records(path: string, list: "images" | "annotations"): Generator<Record_> {
  using file = Deno.openSync(path);
  const scanner = new JsonScanner(file, { name: path });
  for (const key of scanner.members()) {
    if (key !== list) {
      scanner.skipValue();
      continue;
    }
    scanner.expect("[");
    if (scanner.take("]")) return;
    do yield readRecord(scanner); while (scanner.take(","));
    return scanner.expect("]");
  }
}

const FIELDS = new Set(["id", "file_name", "image_id", "bbox", "iscrowd"]);

function readRecord(scanner: JsonScanner): Record_ {
  const record: Record<string, unknown> = {};
  for (const key of scanner.members()) {
    const next = scanner.peek();
    if (!FIELDS.has(key)) scanner.skipValue();
    else if (next === '"') record[key] = scanner.string();
    else if (next === "[" && key === "bbox") record[key] = scanner.numbers();
    else if (/[-\d]/.test(next)) record[key] = scanner.number();
    else scanner.skipValue();
  }
  return record;
}
