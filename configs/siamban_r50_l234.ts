/** SiamBAN with ResNet-50, the published model; tracking values tuned for VOT2018. */
import type { Experiment } from "../src/config/schema.ts";

export default {
  name: "siamban_r50_l234",
  backbone: {
    type: "resnet50",
    kwargs: { usedLayers: [2, 3, 4] },
    pretrained: "pretrained_models/resnet50.model",
    trainLayers: ["layer2", "layer3", "layer4"],
    trainEpoch: 10,
    layersLr: 0.1,
  },
  neck: {
    type: "AdjustAllLayer",
    kwargs: { inChannels: [512, 1024, 2048], outChannels: [256, 256, 256] },
  },
  head: {
    type: "MultiBAN",
    kwargs: { inChannels: [256, 256, 256], clsOutChannels: 2, weighted: true },
  },
  points: { stride: 8 },
  tracking: {
    type: "SiamBANTracker",
    windowInfluence: 0.4632532824922313,
    penaltyK: 0.08513642556896711,
    scaleLr: 0.44418184746462425,
    exemplarSize: 127,
    searchSize: 255,
    baseSize: 8,
    contextAmount: 0.5,
  },
  training: {
    epochs: 20,
    batchSize: 28,
    baseLr: 0.005,
    clsWeight: 1,
    locWeight: 1,
    lr: { type: "log", kwargs: { startLr: 0.005, endLr: 0.00005 } },
    lrWarmup: { type: "step", epoch: 5, kwargs: { startLr: 0.001, endLr: 0.005, step: 1 } },
  },
  dataset: {
    names: ["VID", "YOUTUBEBB", "COCO", "DET", "GOT10K", "LASOT"],
    videosPerEpoch: 1000000,
    template: { shift: 4, scale: 0.05, blur: 0, flip: 0, color: 1 },
    search: { shift: 64, scale: 0.18, blur: 0.2, flip: 0, color: 1 },
    neg: 0.2,
    gray: 0,
  },
} satisfies Experiment;
