/** NanoTrack V2: a correlation for each of the two towers. */
import type { Experiment } from "../src/config/schema.ts";
import base from "./nanotrack_v1.ts";

export default {
  ...base,
  name: "nanotrack_v2",
  head: { type: "NanoTrackV2" },
  tracking: { windowInfluence: 0.49, penaltyK: 0.15, scaleLr: 0.385 },
  dataset: {
    ...base.dataset,
    names: ["GOT10K", "VID", "YOUTUBEBB", "COCO", "DET", "LASOT"],
    videosPerEpoch: 400000,
  },
} satisfies Experiment;
