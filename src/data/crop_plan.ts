import { createHash } from "node:crypto";
import type { CropItem } from "./crop_job.ts";
import type { Track } from "./track.ts";

/** Frames that a worker does at once. */
const CHUNK = 64;

/** A raw set as a first look finds it. */
export interface CropPlan {
  readonly videos: number;
  readonly tracks: number;
  readonly boxes: number;
  /** SHA-256 of all names, frame numbers and boxes. */
  readonly digest: string;
}

/** Goes through all tracks once, without opening a picture. */
export async function planCrops(tracks: AsyncIterable<Track>): Promise<CropPlan> {
  const videos = new Set<string>();
  const hash = createHash("sha256");
  let count = 0, boxes = 0;
  for await (const { video, id, frames } of tracks) {
    videos.add(video);
    count++;
    boxes += frames.length;
    hash.update(JSON.stringify([video, id, frames.map(({ number, box }) => [number, box])]));
  }
  return { videos: videos.size, tracks: count, boxes, digest: hash.digest("hex") };
}

/** A part of a video's work: so many frames of all its tracks. */
export interface VideoPart {
  readonly video: string;
  readonly items: readonly CropItem[];
}

/**
 * Cuts the work into parts. Boxes of one video come in the order of their frames, so that a frame
 * with several targets is decoded once.
 *
 * @param tracks Tracks of one video must follow each other.
 * @param onTrack Sees each track; its number is its place in the stream. False leaves it out.
 */
export async function* cutIntoParts(
  tracks: AsyncIterable<Track>,
  onTrack: (track: Track, number: number) => boolean,
): AsyncGenerator<VideoPart> {
  let video: string | undefined;
  let items: CropItem[] = [];
  let number = 0;
  for await (const track of tracks) {
    if (track.video !== video) yield* chunks(video, items);
    if (track.video !== video) [video, items] = [track.video, []];
    if (onTrack(track, number)) items.push(...toItems(track, number));
    number++;
  }
  yield* chunks(video, items);
}

function toItems(track: Track, number: number): CropItem[] {
  return track.frames.map((frame) => ({
    track: number,
    trackId: track.id,
    frame: frame.number,
    image: frame.image,
    box: frame.box,
    boxRule: track.boxRule ?? "area",
  }));
}

function* chunks(video: string | undefined, items: CropItem[]): Generator<VideoPart> {
  items.sort((a, b) => a.frame - b.frame || a.track - b.track);
  for (let start = 0; start < items.length; start += CHUNK) {
    yield { video: video!, items: items.slice(start, start + CHUNK) };
  }
}

/** Why a track cannot be prepared under its names; undefined if it can. */
export function faultOf({ video, id, frames }: Track): string | undefined {
  const parts = video.split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..") || /[\0\\]/.test(video)) {
    return `the name of the video leads out of its folder`;
  }
  if (id === "" || /[\0/\\]/.test(id) || id === "..") {
    return `the name of the track "${id}" is no file name`;
  }
  if (new Set(frames.map((frame) => frame.number)).size < frames.length) {
    return "a frame number stands there twice";
  }
  return undefined;
}
