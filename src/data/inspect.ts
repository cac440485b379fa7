/** What lies in a folder of raw data, and what preparing it takes. */
import { join } from "@std/path";
import { CropRunner } from "./crop_job.ts";
import { CROP_SETTINGS } from "./cropper.ts";
import { hasArea } from "./annotations.ts";
import { Rng } from "../random.ts";
import { faultOf, frameFaultOf } from "./crop_plan.ts";
import { DET_PARTS } from "./readers/det.ts";
import { isThere } from "./readers/folders.ts";
import { ilsvrcParts, locateIlsvrc } from "./readers/ilsvrc.ts";
import { cocoFiles } from "./readers/coco.ts";
import { GOT10K_PARTS, locateGot10k } from "./readers/got10k.ts";
import { locateLasot } from "./readers/lasot.ts";
import { TRACK_READERS, type TrackFormat } from "./readers/mod.ts";
import { VID_PARTS } from "./readers/vid.ts";
import { locateYoutubeBb, YOUTUBEBB_PARTS } from "./readers/youtubebb.ts";
import { isFault, type ReadFault, type Track, type TrackReaderOptions } from "./track.ts";

/** What {@linkcode inspectRaw} found. */
export interface RawInventory {
  readonly format: TrackFormat;
  /** Whether nothing is missing, as far as can be told. */
  readonly isComplete: boolean;
  /** What is missing, in words. */
  readonly missing: readonly string[];
  readonly videos: number;
  /** Videos of the whole public set, where they are known. */
  readonly videosOfSet?: number;
  readonly tracks: number;
  /** Pictures with a box. */
  readonly frames: number;
  /** Pictures that are not there, or whose files are empty. */
  readonly missingFrames: number;
  readonly boxes: number;
  /** Boxes that the set's own rules or missing areas refuse, as far as no picture is needed. */
  readonly refused: number;
  /** Files that cannot be read. */
  readonly faults: number;
  /** The first of them. */
  readonly firstFaults: readonly ReadFault[];
  /** Bytes that the crops will take, from some that were cut for the purpose. */
  readonly diskBytes: number;
}

/** Videos with a box in the whole public sets (of COCO: pictures). */
const WHOLE_SETS: Partial<Record<TrackFormat, number>> = {
  vid: 4417,
  coco: 122218,
  got10k: 9515,
  lasot: 1400,
};

/** Crops that are cut to see how large they are. */
const SAMPLES = 24;
/** Bytes by which a file system gives out space. */
const DISK_BLOCK = 4096;
const TOLD_FAULTS = 20;

/** Goes through a set once; pictures are looked for, and some are opened. */
export async function inspectRaw(
  format: TrackFormat,
  options: TrackReaderOptions,
): Promise<RawInventory> {
  const count = new Counter();
  const faults: ReadFault[] = [];
  let faultCount = 0;
  for await (const item of TRACK_READERS[format](options)) {
    if (!isFault(item)) await count.add(item);
    else if (faultCount++ < TOLD_FAULTS) faults.push(item);
  }
  const missing = await missingParts(format, options);
  const { videos, tracks, frames, missingFrames, boxes, refused } = count;
  const videosOfSet = missing && WHOLE_SETS[format];
  const isLess = videosOfSet !== undefined && videos < videosOfSet;
  if (missingFrames > 0) missing?.push(`${missingFrames} of ${frames} pictures`);
  if (isLess) missing?.push(`${videosOfSet - videos} of the set's ${videosOfSet} videos`);
  return {
    format,
    isComplete: (missing ?? []).length === 0 && missingFrames === 0 && faultCount === 0,
    missing: missing ?? (missingFrames > 0 ? [`${missingFrames} of ${frames} pictures`] : []),
    videos,
    ...videosOfSet === undefined ? {} : { videosOfSet },
    ...{ tracks, frames, missingFrames, boxes, refused, faults: faultCount, firstFaults: faults },
    diskBytes: (boxes - refused) * await meanCropBytes(count.samples),
  };
}

/** Counts tracks and keeps some boxes, each with the same probability. */
class Counter {
  videos = 0;
  tracks = 0;
  frames = 0;
  missingFrames = 0;
  boxes = 0;
  refused = 0;
  readonly samples: { track: Track; index: number }[] = [];
  readonly #rng = new Rng(1);
  #video?: string;
  #pictures = new Set<string>();
  #ids = new Set<string>();

  async add(track: Track): Promise<void> {
    if (track.video !== this.#video) {
      [this.#video, this.#pictures, this.#ids] = [track.video, new Set(), new Set()];
      this.videos++;
    }
    if (!this.#ids.has(track.id)) this.tracks++;
    this.#ids.add(track.id);
    const trackFault = faultOf(track);
    for (const [index, frame] of track.frames.entries()) {
      const { box, image, refused, fault = trackFault ?? frameFaultOf(frame) } = frame;
      this.boxes++;
      if (refused !== undefined || fault !== undefined || !box || !hasArea(box)) this.refused++;
      else this.#sample(track, index);
      if (fault !== undefined || image.kind !== "file" || this.#pictures.has(image.path)) continue;
      this.#pictures.add(image.path);
      this.frames++;
      if (!await hasContent(image.path)) this.missingFrames++;
    }
  }

  /** Reservoir sampling: of all boxes so far each is kept with the same probability. */
  #sample(track: Track, index: number): void {
    const seen = this.boxes - this.refused;
    const place = seen <= SAMPLES ? seen - 1 : this.#rng.integer(seen);
    if (place < SAMPLES) this.samples[place] = { track, index };
  }
}

async function hasContent(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ size }) => size > 0, () => false);
}

/** Mean size of the sampled crops on a disk; 0 if none can be cut. */
async function meanCropBytes(samples: Counter["samples"]): Promise<number> {
  await using runner = new CropRunner();
  let sum = 0, count = 0;
  for (const { track, index } of samples) {
    const { number: frame, image, box } = track.frames[index];
    const item = {
      ...{ key: [0, 0, 0] as const, video: track.video, track: track.id, frame, image, box: box! },
      rule: track.boxRule ?? "area",
      unit: track.boxUnit ?? "pixels",
      missing: "report",
    } as const;
    const job = { root: "", items: [item], settings: CROP_SETTINGS, templateCrops: false };
    const { outcomes: [outcome] } = await runner.run({ ...job, pack: true, stopAtFault: false });
    if (outcome.kind !== "written") continue;
    sum += Math.ceil(outcome.size / DISK_BLOCK) * DISK_BLOCK;
    count++;
  }
  return count === 0 ? 0 : Math.round(sum / count);
}

/** The parts of a public set that are not there; undefined where it is no public set. */
async function missingParts(
  format: TrackFormat,
  { root }: TrackReaderOptions,
): Promise<string[] | undefined> {
  const absent = async (folder: string, names: readonly string[]) => {
    const there = await Promise.all(names.map((name) => isThere(join(folder, name))));
    return names.filter((_, i) => !there[i]);
  };
  switch (format) {
    case "vid":
      return await absentIlsvrc(root, "VID", VID_PARTS);
    case "det":
      return await absentIlsvrc(root, "DET", DET_PARTS);
    case "youtubebb": {
      const folder = await locateYoutubeBb(root);
      const parts = Object.values(YOUTUBEBB_PARTS);
      const files = await absent(folder, parts.map((part) => `${part}.csv`));
      const packed = await absent(folder, parts.map((part) => `${part}.csv.gz`));
      return [
        ...files.filter((name) => packed.includes(`${name}.gz`)),
        ...await absent(folder, parts),
      ];
    }
    case "coco": {
      const parts = (await cocoFiles({ root })).map(({ part }) => part);
      const isSet = parts.some((part) => /^(train|val)2017$/.test(part));
      if (!isSet) return undefined;
      return ["train2017", "val2017"].filter((part) => !parts.includes(part))
        .map((part) => `annotations/instances_${part}.json`);
    }
    case "got10k": {
      const folder = await locateGot10k(root);
      if (folder === undefined) return undefined;
      const parts = await absent(folder, GOT10K_PARTS);
      return ["train", "val"].filter((part) =>
        parts.includes(part) && parts.includes(`${part}_data`)
      );
    }
    case "lasot": {
      const folder = await locateLasot(root);
      return await absent(folder, ["testing_set.txt"]);
    }
    default:
      return undefined;
  }
}

async function absentIlsvrc(
  root: string,
  set: "VID" | "DET",
  names: Readonly<Record<string, string>>,
): Promise<string[]> {
  const folder = await locateIlsvrc(root, set);
  const there = new Set((await ilsvrcParts(folder, set, names)).map(({ letter }) => letter));
  return Object.keys(names).filter((letter) => !there.has(letter))
    .map((letter) => `Annotations/${set}/${names[letter]} (part ${letter})`);
}
