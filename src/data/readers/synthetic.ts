import { SyntheticVideo, type SyntheticVideoOptions } from "../synthetic/video.ts";
import type { Track, TrackReaderOptions } from "../track.ts";

/** Seeds of training and of held-out videos lie this far apart. */
const SPLIT_DISTANCE = 2 ** 24;
const SPLITS = ["train", "val", "test"] as const;

/** Which part of the drawn videos: no video is in two. */
export type SyntheticSplit = typeof SPLITS[number];

/**
 * The videos of a part. They are functions of (seed, part, number): any count of them can be asked
 * for, and those of `test` are never seen in training.
 *
 * @throws {RangeError} If the seed is not an integer of 0..2^24 - 1.
 */
export function syntheticVideo(
  split: SyntheticSplit,
  number: number,
  { seed = 0, ...options }: Omit<SyntheticVideoOptions, "seed"> & { seed?: number } = {},
): SyntheticVideoOptions {
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 24) {
    throw new RangeError(`Cannot draw videos of seed ${seed}, expected an integer of 0..2^24 - 1`);
  }
  const part = SPLITS.indexOf(split) * SPLIT_DISTANCE + number;
  return { ...options, seed: seed * SPLIT_DISTANCE * SPLITS.length + part };
}

/** The track of a drawn video's target; frames are drawn when they are asked for. */
export function syntheticTrack(
  split: SyntheticSplit,
  number: number,
  options: Omit<SyntheticVideoOptions, "seed"> & { seed?: number } = {},
): Track {
  const video = syntheticVideo(split, number, options);
  const drawn = new SyntheticVideo(video);
  return {
    video: `${split}/${String(number).padStart(4, "0")}`,
    id: "00",
    split: split === "train" ? "train" : "val",
    frames: Array.from({ length: drawn.frames }, (_, index) => ({
      number: index,
      image: { kind: "synthetic", video, index },
      box: drawn.box(index),
    })),
  };
}

/**
 * Videos that are drawn: `videos` (40) of them for training, and a tenth as many for validation; or
 * `videos` to be held out, if `split` says so.
 */
export async function* readSynthetic(
  { videos = 40, frames = 40, seed = 0, split = "train" }: Omit<TrackReaderOptions, "root">,
): AsyncGenerator<Track> {
  if (split === "test") {
    for (let number = 0; number < videos; number++) {
      yield syntheticTrack("test", number, { seed, frames });
    }
    return;
  }
  for (let number = 0; number < videos; number++) {
    yield syntheticTrack("train", number, { seed, frames });
  }
  for (let number = 0; number < Math.ceil(videos / 10); number++) {
    yield syntheticTrack("val", number, { seed, frames });
  }
}
