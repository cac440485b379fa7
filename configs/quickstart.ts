/** A narrow tracker that learns on a CPU within minutes, on the built-in demonstration data. */
import type { Experiment } from "../src/config/schema.ts";

export default {
  name: "quickstart",
  // No pretrained weights: everything trains from the first epoch on, at one rate.
  backbone: {
    type: "alexnetlegacy",
    kwargs: { widthMult: 0.25 },
    trainLayers: ["features"],
    trainEpoch: 0,
    layersLr: 1,
  },
  neck: { enabled: false },
  head: { type: "DepthwiseBAN", kwargs: { outChannels: 64 } },
  training: {
    baseSize: 0,
    scoreSize: 17, // (255 - 127) / 8 + 1 + 0
    epochs: 4,
    batchSize: 8,
    printFreq: 10,
    lr: { type: "log", kwargs: { startLr: 0.02, endLr: 0.002 } },
    lrWarmup: { epoch: 1, type: "step", kwargs: { startLr: 0.01, endLr: 0.02, step: 1 } },
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
        numUse: 800,
        source: { format: "synthetic", videos: 40, frames: 40 },
      },
    },
    videosPerEpoch: 800,
    neg: 0.1,
  },
  validation: { source: { format: "synthetic", split: "test", frames: 60 }, sequences: 8 },
} satisfies Experiment;
