import { createHash, type Hash } from "node:crypto";
import type { CropItem } from "./crop_job.ts";
import { enterProblem, enterTrack, sourceName } from "./prepare_books.ts";
import { isFault, type RawItem, type Track, type TrackFrame } from "./track.ts";
import type { WorkFile } from "./work_file.ts";

/** Boxes that a worker does at once. */
const CHUNK = 64;
/** Finds that are entered at once. */
const GROUP = 1000;

/** A raw set as a first look finds it. */
export interface CropPlan {
  readonly videos: number;
  readonly tracks: number;
  readonly boxes: number;
  /** SHA-256 of all names, frame numbers, sources and boxes. */
  readonly digest: string;
}

/** How far a first look is. */
export interface PlanProgress {
  readonly tracks: number;
  readonly boxes: number;
  /** The plan, once all is seen. */
  readonly plan?: CropPlan;
}

/** What {@linkcode planCrops} does with the finds. */
export interface PlanOptions {
  /** Every so many-th video is for validation; 0 leaves it to the set. */
  readonly valEvery: number;
  /** A frame of a track that stands there twice is replaced, as published. */
  readonly replace: boolean;
}

/**
 * Goes through all finds once, without opening a picture, and enters them into the books. If the
 * books have a plan already, nothing is entered: the digest tells whether it is the same.
 */
export async function* planCrops(
  items: AsyncIterable<RawItem>,
  books: WorkFile,
  options: PlanOptions,
): AsyncGenerator<PlanProgress> {
  const known = books.note("plan");
  const hash = createHash("sha256");
  const splitter = new Splitter(options.valEvery);
  let tracks = 0, boxes = 0, seen = 0;
  if (known === undefined) books.clear();
  books.begin();
  for await (const item of items) {
    hashItem(hash, item);
    if (!isFault(item)) [tracks, boxes] = [tracks + 1, boxes + item.frames.length];
    if (known === undefined) enterItem(books, item, { ...options, splitter });
    if (++seen % GROUP !== 0) continue;
    books.commit();
    yield { tracks, boxes };
    books.begin();
  }
  const digest = hash.digest("hex");
  const plan = known === undefined ? { ...sizeOf(books), digest } : JSON.parse(known) as CropPlan;
  if (known === undefined) books.setNote("plan", JSON.stringify(plan));
  books.commit();
  yield { tracks, boxes, plan: { ...plan, digest } };
}

function hashItem(hash: Hash, item: RawItem): void {
  if (isFault(item)) return void hash.update(JSON.stringify([item.file, item.reason]));
  const { frames, ...track } = item;
  hash.update(JSON.stringify(track));
  for (const frame of frames) hash.update(JSON.stringify(frame));
}

function enterItem(
  books: WorkFile,
  item: RawItem,
  { splitter, replace }: PlanOptions & { readonly splitter: Splitter },
): void {
  if (isFault(item)) return enterProblem(books, item, 0);
  const { video, id: track } = item;
  const fault = faultOf(item);
  const frames = item.frames.filter((frame) => {
    const reason = fault ?? frameFaultOf(frame);
    if (reason === undefined) return true;
    const { number, image } = frame;
    enterProblem(books, { video, track, frame: number, file: sourceName(image), reason });
    return false;
  });
  if (fault !== undefined) return;
  enterTrack(books, { ...item, frames, split: splitter.splitOf(item) }, { replace });
}

function sizeOf(books: WorkFile): Omit<CropPlan, "digest"> {
  return books.get(`SELECT (SELECT count(*) FROM video) AS videos,
    (SELECT count(*) FROM track) AS tracks,
    (SELECT count(*) FROM box) + (SELECT coalesce(sum(boxes), 0) FROM problem) AS boxes`) as Omit<
    CropPlan,
    "digest"
  >;
}

/** Puts every n-th video aside; tracks of one video follow each other where this is used. */
class Splitter {
  readonly #valEvery: number;
  #video?: string;
  #videos = 0;

  constructor(valEvery: number) {
    this.#valEvery = valEvery;
  }

  splitOf({ video, split = "train" }: Track): NonNullable<Track["split"]> {
    if (this.#valEvery === 0) return split;
    if (video !== this.#video) [this.#video, this.#videos] = [video, this.#videos + 1];
    return this.#videos % this.#valEvery === 0 ? "val" : "train";
  }
}

/**
 * Cuts the work into jobs of some boxes each; the boxes of one frame stay together, so that it is
 * decoded once.
 *
 * @param options.byVideo Each job is a whole video instead.
 */
export function* cutIntoJobs(
  items: Iterable<CropItem>,
  { byVideo = false } = {},
): Generator<CropItem[]> {
  let job: CropItem[] = [];
  for (const item of items) {
    const last = job.at(-1);
    const sameVideo = last?.key[0] === item.key[0];
    const isEnd = byVideo
      ? !sameVideo
      : job.length >= CHUNK && !(sameVideo && last?.frame === item.frame);
    if (last && isEnd) {
      yield job;
      job = [];
    }
    job.push(item);
  }
  if (job.length > 0) yield job;
}

/** Bytes that a file system allows in a name. */
const LONGEST_NAME = 255;
/** Bytes of a video's path; systems allow 4096 for the whole. */
const LONGEST_PATH = 2048;

/** Why a frame cannot be prepared under its number; undefined if it can. */
export function frameFaultOf({ number }: TrackFrame): string | undefined {
  if (Number.isInteger(number) && number >= 0 && number < 2 ** 31) return undefined;
  return `${number} is no frame number, expected an integer of 0..2147483647`;
}

/** Why a track cannot be prepared under its names; undefined if it can. */
export function faultOf({ video, id }: Pick<Track, "video" | "id">): string | undefined {
  // The keys of YouTube-BB begin with "./", as published.
  const parts = video.replace(/^\.\//, "").split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..") || /[\0\\]/.test(video)) {
    return `the name of the video leads out of its folder`;
  }
  if (id === "" || /[\0/\\]/.test(id) || id === "..") {
    return `the name of the track "${id}" is no file name`;
  }
  const bytes = (text: string) => new TextEncoder().encode(text).length;
  // ".x.jpg.partial" and the frame's number stand beside the track's name.
  if (parts.some((part) => bytes(part) > LONGEST_NAME) || bytes(id) > LONGEST_NAME - 32) {
    return `a name is longer than ${LONGEST_NAME} bytes`;
  }
  if (bytes(video) > LONGEST_PATH) return `a path is longer than ${LONGEST_PATH} bytes`;
  if (!video.isWellFormed() || !id.isWellFormed()) return "a name is no valid text";
  return undefined;
}
