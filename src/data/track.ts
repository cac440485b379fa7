import type { Corner } from "../geometry/boxes.ts";
import type { SyntheticVideoOptions } from "./synthetic/video.ts";

/** Where the pixels of a frame come from; plain data, so that a worker can fetch them. */
export type FrameSource =
  /** A picture file. */
  | { readonly kind: "file"; readonly path: string }
  /** A frame of a video file, counted from 0. */
  | { readonly kind: "video"; readonly path: string; readonly index: number }
  /** A frame that is drawn, counted from 0. */
  | { readonly kind: "synthetic"; readonly video: SyntheticVideoOptions; readonly index: number };

/** One frame of a {@linkcode Track}. */
export interface TrackFrame {
  /** Number in the annotation file and in the crop's name. */
  readonly number: number;
  readonly image: FrameSource;
  /** The target in pixels, the first pixel's centre at 0; null where the target is not given. */
  readonly box: Corner | null;
}

/** Which boxes become crops: any with an area, or those that lie wholly inside the picture. */
export type BoxRule = "area" | "inside";

/** One target followed through one video. */
export interface Track {
  /** Name of the video: its folder below `crop511`, with `/` between folders. */
  readonly video: string;
  /** Name of the target within its video, such as `00`. */
  readonly id: string;
  readonly frames: readonly TrackFrame[];
  /** Which annotation file the set puts it in; `train` where the set does not say. */
  readonly split?: "train" | "val";
  /** `area` where the set has no rule of its own. */
  readonly boxRule?: BoxRule;
}

/** What tells a reader where to look. Each reader takes what concerns it. */
export interface TrackReaderOptions {
  /** Folder or file of the raw set. */
  readonly root: string;
  /** Box file, where boxes do not lie beside the frames. */
  readonly boxes?: string;
  /** Number of videos, where the reader makes them. */
  readonly videos?: number;
  /** Frames of a video, where the reader makes them. */
  readonly frames?: number;
  /** What the reader makes depends on it. */
  readonly seed?: number;
  /** `test` makes videos that are in no prepared set, where the reader makes them. */
  readonly split?: "train" | "test";
}

/** Finds the tracks of a raw set, in the same order each time; tracks of one video follow each other. */
export type TrackReader = (options: TrackReaderOptions) => AsyncGenerator<Track>;
