/** A small tracker that learns on a CPU within minutes, on the built-in demonstration data. */
import type { Experiment } from "../src/config/schema.ts";

export default {
  name: "quickstart",
  // The first blocks of a narrow MobileNetV2, down to stride 8. There are no pretrained weights, so
  // everything trains from the first epoch on, at one rate.
  backbone: {
    type: "mobilenetv2",
    // Layer 4 sees far enough, 128 pixels and more, to find the sides of a target.
    kwargs: { widthMult: 0.5, usedLayers: [4] },
    trainLayers: ["layer0", "layer1", "layer2", "layer3", "layer4"],
    trainEpoch: 0,
    layersLr: 1,
  },
  neck: { type: "AdjustLayer", kwargs: { outChannels: 64 } },
  head: { type: "MultiBAN", kwargs: { inChannels: [64], weighted: false } },
  training: {
    epochs: 5,
    stepsPerEpoch: 160,
    batchSize: 8,
    printFreq: 25,
    // The logarithm keeps the gradient large while boxes are still far off. With its full weight, or at a
    // large rate from the start, it throws the location branch so far that all its rectifiers close for good.
    locLoss: "iou",
    locWeight: 0.3,
    baseLr: 0.05,
    lr: { type: "log", kwargs: { startLr: 0.05, endLr: 0.003 } },
    lrWarmup: {
      warmup: true,
      type: "step",
      epoch: 1,
      kwargs: { startLr: 0.005, endLr: 0.005, step: 1 },
    },
    // Trained from nothing, a backbone must learn to do with one statistic for templates and searches.
    freezeNormsEpoch: 3,
    numWorkers: 1,
    logDir: "runs/quickstart/logs",
    snapshotDir: "runs/quickstart/snapshot",
  },
  dataset: {
    names: ["DEMO"],
    sets: {
      DEMO: {
        root: "demo/crop511",
        anno: "demo/train.json",
        frameRange: 20,
        source: { format: "synthetic", videos: 40, frames: 40 },
      },
    },
    neg: 0.1,
    videosPerEpoch: 1800,
  },
  tracking: { windowInfluence: 0.4, penaltyK: 0.3, scaleLr: 0.1 },
  validation: { source: { format: "synthetic", split: "test", frames: 60 }, sequences: 8 },
} satisfies Experiment;
