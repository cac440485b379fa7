/** NanoTrack V1 (github.com/HonglinChu/NanoTrack): one point-wise correlation, the smallest of the three. */
import type { Experiment } from "../src/config/schema.ts";

export default {
  name: "nanotrack_v1",
  backbone: {
    type: "mobilenetv3_small",
    pretrained: "pretrained_models/mobilenetv3_small_1.0.pth",
    trainLayers: ["features"],
    trainEpoch: 10,
    layersLr: 0.1,
  },
  neck: { type: "AdjustLayer", kwargs: { inChannels: 64, outChannels: 64 } },
  head: { type: "NanoTrackV1" },
  points: { stride: 16 },
  tracking: { windowInfluence: 0.462, penaltyK: 0.148, scaleLr: 0.39 },
  training: {
    epochs: 50,
    batchSize: 32,
    scoreSize: 16,
    baseLr: 0.005,
    clsWeight: 1,
    locWeight: 1,
    lr: { type: "log", kwargs: { startLr: 0.005, endLr: 0.0005 } },
    lrWarmup: { type: "step", epoch: 5, kwargs: { startLr: 0.001, endLr: 0.005, step: 1 } },
  },
  dataset: {
    names: ["GOT10K"],
    videosPerEpoch: 100000,
    template: { shift: 4, scale: 0.05, blur: 0, flip: 0, color: 1 },
    search: { shift: 64, scale: 0.18, blur: 0.2, flip: 0, color: 1 },
    neg: 0.2,
    gray: 0,
  },
} satisfies Experiment;
