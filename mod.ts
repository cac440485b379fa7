/**
 * SiamBAN for Deno: train, check and run Siamese box-adaptive trackers.
 *
 * @module
 */
export * from "./src/backends/mod.ts";
export * from "./src/backends/onednn/build.ts";
export * from "./src/collective.ts";
export * from "./src/config/mod.ts";
export * from "./src/data/mod.ts";
export * from "./src/distributed/mod.ts";
export * from "./src/evaluation/mod.ts";
// Both rooms have a Sequence: of frames, and of layers.
export type { Sequence } from "./src/evaluation/sequence.ts";
export type { Sequence as LayerSequence } from "./src/nn/module.ts";
export * from "./src/experiment/mod.ts";
export * from "./src/geometry/boxes.ts";
export * from "./src/geometry/context.ts";
export * from "./src/geometry/points.ts";
export * from "./src/image/mod.ts";
export * from "./src/models/mod.ts";
export * from "./src/nn/mod.ts";
export {
  activate,
  allReduce,
  batchNorm,
  conv2d,
  defineOp,
  foldedConv2d,
  iouLoss,
  isRecording,
  maxPool2d,
  selectCrossEntropy,
  selectIouLoss,
  sgdUpdate,
  unrecorded,
  xcorrDepthwise,
  xcorrFast,
} from "./src/ops/mod.ts";
export * from "./src/random.ts";
export * from "./src/search/mod.ts";
export * from "./src/tracking/mod.ts";
export * from "./src/training/mod.ts";
export * from "./src/trax/mod.ts";
export * from "./src/view/mod.ts";
export * from "./src/weights/mod.ts";
