/** SiamBAN with AlexNet: one level, no neck, no padding, so a 17 x 17 score map. */
import type { Experiment } from "../src/config/schema.ts";
import base from "./siamban_r50_l234.ts";

export default {
  ...base,
  name: "siamban_alexnet",
  backbone: {
    type: "alexnet",
    kwargs: { widthMult: 1 },
    pretrained: "pretrained_models/alexnet-bn.pth",
    trainLayers: ["layer4", "layer5"],
    trainEpoch: 10,
    layersLr: 0.1,
  },
  // The neck would cut the 6 x 6 template map to 2 x 2, too small for the head's convolution.
  neck: { enabled: false },
  head: {
    type: "DepthwiseBAN",
    kwargs: { inChannels: 256, outChannels: 256, clsOutChannels: 2 },
  },
  tracking: { ...base.tracking, baseSize: 0 },
  // (255 - 127) / 8 + 1 + 0 = 17
  training: { ...base.training, baseSize: 0, scoreSize: 17 },
} satisfies Experiment;
