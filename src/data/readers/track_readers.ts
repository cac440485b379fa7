import type { TrackReader } from "../track.ts";
import { readCoco } from "./coco.ts";
import { readCsv } from "./csv.ts";
import { readDet } from "./det.ts";
import { readGot10k } from "./got10k.ts";
import { readLasot } from "./lasot.ts";
import { readOtb } from "./otb.ts";
import { readSynthetic } from "./synthetic.ts";
import { readVid } from "./vid.ts";
import { readVideo } from "./video.ts";
import { readVoc } from "./voc.ts";
import { readVot } from "./vot.ts";
import { readYoutubeBb } from "./youtubebb.ts";

/** Readers by the name that configuration and command line use. */
export const TRACK_READERS = {
  synthetic: readSynthetic,
  vid: readVid,
  youtubebb: readYoutubeBb,
  det: readDet,
  coco: readCoco,
  got10k: readGot10k,
  lasot: readLasot,
  otb: readOtb,
  vot: readVot,
  voc: readVoc,
  csv: readCsv,
  video: readVideo,
} as const satisfies Record<string, TrackReader>;

/** A form of raw data. */
export type TrackFormat = keyof typeof TRACK_READERS;
