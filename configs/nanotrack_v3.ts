/** NanoTrack V3: a wider backbone, and a depthwise correlation beside the point-wise one. */
import type { Experiment } from "../src/config/schema.ts";
import base from "./nanotrack_v2.ts";

export default {
  ...base,
  name: "nanotrack_v3",
  backbone: { ...base.backbone, type: "mobilenetv3_small_v3" },
  neck: { type: "AdjustLayer", kwargs: { inChannels: 96, outChannels: 96 } },
  head: { type: "NanoTrackV3" },
  tracking: { windowInfluence: 0.455, penaltyK: 0.138, scaleLr: 0.348 },
  training: { ...base.training, batchSize: 64, scoreSize: 15 },
} satisfies Experiment;
