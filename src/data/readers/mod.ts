/** The raw sets that can be prepared: one reader a set. */
import type { TrackReader } from "../track.ts";
import { readGot10k } from "./got10k.ts";
import { readOtb } from "./otb.ts";
import { readSynthetic } from "./synthetic.ts";
import { readVideo } from "./video.ts";
import { readVot } from "./vot.ts";

/** Readers by the name that configuration and command line use. */
export const TRACK_READERS = {
  synthetic: readSynthetic,
  got10k: readGot10k,
  otb: readOtb,
  vot: readVot,
  video: readVideo,
} as const satisfies Record<string, TrackReader>;

/** A form of raw data. */
export type TrackFormat = keyof typeof TRACK_READERS;
