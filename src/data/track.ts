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
  /**
   * The target, the first pixel's centre at 0, in the track's {@linkcode BoxUnit}; null where the
   * target is not given.
   */
  readonly box: Corner | null;
  /** Why the set's own rules leave this box out; absent where they take it. */
  readonly refused?: string;
  /** Why nobody can tell the box or its picture; it is reported. */
  readonly fault?: string;
  /**
   * What the annotation file says, where that is not what is cropped: only when a set is prepared
   * exactly as the published scripts do. Null: it does not say anything.
   */
  readonly entry?: Corner | null;
}

/**
 * Which boxes become crops: those with an area that touch the picture, those that lie wholly inside
 * it, or all of them (as published).
 */
export type BoxRule = "area" | "inside" | "any";

/** What a box counts in: pixels, or parts of the picture's width and height. */
export type BoxUnit = "pixels" | "picture";

/** Which annotation file names a video; published scripts can name one in both or in none. */
export type TrackSplit = "train" | "val" | "both" | "none";

/** One target followed through one video. */
export interface Track {
  /** Name of the video: its folder below `crop511`, with `/` between folders. */
  readonly video: string;
  /** Name of the target within its video, such as `00`. */
  readonly id: string;
  /** The same track may come in several pieces. */
  readonly frames: readonly TrackFrame[];
  /** `train` where the set does not say. */
  readonly split?: TrackSplit;
  /** `area` where the set has no rule of its own. */
  readonly boxRule?: BoxRule;
  /** `pixels` where the set does not say. */
  readonly boxUnit?: BoxUnit;
  /** What the annotation file keeps of a track without a box: `{}` for it or its video; `track`. */
  readonly keep?: "track" | "video" | "nothing";
  /** What a frame that is not there means: it is reported, or it was never there; `report`. */
  readonly missing?: "report" | "refuse";
  /** As published: entries stand in the annotation file although their crop could not be cut. */
  readonly entriesWithoutCrop?: boolean;
}

/** Something that a reader cannot read; it goes on with the rest. */
export interface ReadFault {
  /** The file. */
  readonly file: string;
  readonly reason: string;
}

/** What a reader finds. */
export type RawItem = Track | ReadFault;

/** Whether a reader's find is a fault. */
export function isFault(item: RawItem): item is ReadFault {
  return "reason" in item;
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
  /** Exactly the boxes that the published scripts use, with their faults; false. */
  readonly asPublished?: boolean;
  /** Leaves out boxes that the set flags: occluded, out of view, a crowd, difficult; false. */
  readonly skipFlagged?: boolean;
  /** `test` makes videos that are in no prepared set, where the reader makes them. */
  readonly split?: "train" | "test";
}

/** Finds the tracks of a raw set, in the same order each time, a bounded part of it in memory. */
export type TrackReader = (options: TrackReaderOptions) => AsyncGenerator<RawItem>;
