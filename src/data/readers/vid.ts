import { join } from "@std/path";
import type { Corner } from "../../geometry/boxes.ts";
import { readImage } from "../../image/decode.ts";
import type { ReadFault, Track, TrackFrame, TrackReaderOptions, TrackSplit } from "../track.ts";
import { readAnnotationXml, type XmlAnnotation, type XmlObject } from "./annotation_xml.ts";
import { listFolder, toFault } from "./folders.ts";
import { ilsvrcParts, locateIlsvrc } from "./ilsvrc.ts";

/** The parts of the set by the letter under which the published annotations name them. */
export const VID_PARTS: Readonly<Record<string, string>> = {
  a: "train/ILSVRC2015_VID_train_0000",
  b: "train/ILSVRC2015_VID_train_0001",
  c: "train/ILSVRC2015_VID_train_0002",
  d: "train/ILSVRC2015_VID_train_0003",
  e: "val",
};

/** Annotation files that are read at once. */
const AT_ONCE = 16;

/** An annotated frame of a video. */
interface VidFrame {
  /** The annotation file's name, without its ending. */
  readonly name: string;
  readonly image: string;
  readonly annotation: XmlAnnotation;
}

/**
 * ILSVRC VID: `Annotations/VID/train/<part>/<video>/<frame>.xml` and
 * `Data/VID/train/<part>/<video>/<frame>.JPEG`. The parts may have their own names, or the letters
 * a to e that the published readme gives them; `e`, the validation part, goes to val.json.
 *
 * A box that reaches beyond the size in its annotation is left out, and so is a target that is in
 * one frame alone (training_dataset/vid/gen_json.py).
 *
 * Parity: of a target that goes and comes again, the published script keeps the last run; here all
 * runs stay, in one track.
 */
export async function* readVid(
  options: TrackReaderOptions,
): AsyncGenerator<Track | ReadFault> {
  const root = await locateIlsvrc(options.root, "VID");
  for (const { letter, folder } of await ilsvrcParts(root, "VID", VID_PARTS)) {
    for (const video of (await listFolder(folder)).folders) {
      const frames: VidFrame[] = [];
      for await (const frame of readFrames(join(folder, video))) {
        if ("reason" in frame) yield frame;
        else frames.push(frame);
      }
      const name = `${letter}/${video}`;
      yield* options.asPublished
        ? publishedTracks(name, frames, await firstBadEmptyFrame(frames))
        : tracksOf(name, frames, options.skipFlagged ?? false);
    }
  }
}

async function* readFrames(folder: string): AsyncGenerator<VidFrame | ReadFault> {
  const files = (await listFolder(folder)).files.filter((file) => file.endsWith(".xml"));
  for (let start = 0; start < files.length; start += AT_ONCE) {
    const group = files.slice(start, start + AT_ONCE).map((file) => readFrame(folder, file));
    for (const finds of await Promise.all(group)) yield* finds;
  }
}

async function readFrame(folder: string, file: string): Promise<(VidFrame | ReadFault)[]> {
  const path = join(folder, file);
  try {
    const { objects, ...annotation } = await readAnnotationXml(path);
    const tracked = objects.filter(({ trackId = -1 }) => Number.isInteger(trackId) && trackId >= 0);
    const frame = {
      name: file.slice(0, -".xml".length),
      image: imageOf(path),
      annotation: { ...annotation, objects: tracked },
    };
    if (tracked.length === objects.length) return [frame];
    return [toFault(path, "an object has no track number, a whole number from 0"), frame];
  } catch (error) {
    return [toFault(path, error)];
  }
}

/** Parity: every `xml` of the path is replaced (training_dataset/vid/par_crop.py). */
function imageOf(xml: string): string {
  return xml.replace(/\/Annotations\/(?!.*\/Annotations\/)/, "/Data/").slice(0, -"xml".length) +
    "JPEG";
}

/** A target in a frame. */
interface Sighting {
  /** Of the frame among those of the video. */
  readonly index: number;
  readonly object: XmlObject;
}

/** The objects of a video by track number, in the order in which they appear. */
function sightingsByTrack(frames: readonly VidFrame[]): Map<number, Sighting[]> {
  const all = frames.flatMap(({ annotation: { objects } }, index) =>
    objects.map((object) => ({ index, object }))
  );
  return Map.groupBy(all, ({ object }) => object.trackId!);
}

const BEYOND = "the box reaches beyond the size in its annotation";

function* tracksOf(
  video: string,
  frames: readonly VidFrame[],
  skipFlagged: boolean,
): Generator<Track> {
  for (const [id, sightings] of sightingsByTrack(frames)) {
    const isLeft = ({ index, object }: Sighting) =>
      isBeyond(object, frames[index].annotation)
        ? BEYOND
        : skipFlagged && object.occluded
        ? "the target is occluded"
        : undefined;
    const kept = new Set(sightings.filter((one) => !isLeft(one)).map(({ index }) => index));
    yield {
      video,
      id: trackName(id),
      split: video.startsWith("e/") ? "val" : "train",
      // Parity: a video stays as `{}` if it has a box at all, a track only with boxes.
      keep: kept.size > 0 ? "video" : "nothing",
      frames: sightings.map((one): TrackFrame => {
        const { index, object } = one;
        const isAlone = !kept.has(index - 1) && !kept.has(index + 1);
        const refused = isLeft(one) ??
          (isAlone ? "the target is in this frame alone" : undefined);
        return {
          number: frameNumber(frames[index].name),
          image: { kind: "file", path: frames[index].image },
          box: toCorner(object),
          ...refused === undefined ? {} : { refused },
        };
      }),
    };
  }
}

/** The first frame without objects whose picture cannot be read: the published cropper ends there. */
async function firstBadEmptyFrame(frames: readonly VidFrame[]): Promise<number> {
  for (const [index, { image, annotation }] of frames.entries()) {
    if (annotation.objects.length > 0) continue;
    if (!await readImage(image).then(() => true, () => false)) return index;
  }
  return frames.length;
}

/**
 * Parity: what parse_vid.py, par_crop.py and gen_json.py of training_dataset/vid make of it.
 *
 * @param end What comes from this frame on is not cropped.
 */
function* publishedTracks(
  video: string,
  frames: readonly VidFrame[],
  end: number,
): Generator<Track> {
  const split = publishedSplit(video);
  const inside = (object: XmlObject, index: number) => !isBeyond(object, frames[index].annotation);
  for (const [id, sightings] of sightingsByTrack(frames)) {
    const kept = sightings.filter(({ object, index }) => inside(object, index));
    const entered = new Set(lastRun(kept.map(({ index }) => index)));
    const entries = new Map<number, Corner>();
    // Of two boxes of one track in a frame the later is meant, even if it lies beyond the picture.
    for (const { index, object } of sightings) {
      if (entered.has(index)) entries.set(index, toCorner(object));
    }
    const common = { video, id: trackName(id), split, boxRule: "any" } as const;
    yield {
      ...common,
      keep: entered.size > 0 ? "track" : kept.length > 0 ? "video" : "nothing",
      entriesWithoutCrop: true,
      frames: sightings.flatMap(({ index, object }): TrackFrame[] => {
        const { name, image, annotation: { filename } } = frames[index];
        const picture = { kind: "file", path: image } as const;
        const [cut, told] = [Number(filename), frameNumber(name)];
        const entry = entries.get(index) ?? null;
        const box = index < end ? toCorner(object) : null;
        if (cut === told) return [{ number: cut, image: picture, box, entry }];
        return [
          { number: cut, image: picture, box, entry: null },
          { number: told, image: picture, box: null, entry },
        ];
      }),
    };
  }
}

/** The last run of at least two in a row; an index that stands twice counts twice. */
function lastRun(indexes: readonly number[]): readonly number[] {
  const runs: number[][] = [];
  for (const index of indexes) {
    const run = runs.at(-1);
    if (run && index - run.at(-1)! <= 1) run.push(index);
    else runs.push([index]);
  }
  return runs.filter((run) => run.length > 1).at(-1) ?? [];
}

/** Parity: by what the video's name contains. */
export function publishedSplit(video: string): TrackSplit {
  const [train, val] = [video.includes("train"), video.includes("val")];
  return train ? (val ? "both" : "train") : val ? "val" : "none";
}

function isBeyond({ corners: [, , x2, y2] }: XmlObject, { size }: XmlAnnotation): boolean {
  return x2 > size.width || y2 > size.height;
}

function toCorner({ corners: [x1, y1, x2, y2] }: XmlObject): Corner {
  return { x1, y1, x2, y2 };
}

function frameNumber(name: string): number {
  return /^\d+$/.test(name) ? Number(name) : NaN;
}

function trackName(id: number): string {
  return String(id).padStart(2, "0");
}
