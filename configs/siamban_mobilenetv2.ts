/** SiamBAN with MobileNetV2: three levels, as with ResNet-50. */
import type { Experiment } from "../src/config/schema.ts";
import base from "./siamban_r50_l234.ts";

export default {
  ...base,
  name: "siamban_mobilenetv2",
  backbone: {
    type: "mobilenetv2",
    kwargs: { widthMult: 1, usedLayers: [3, 5, 7] },
    pretrained: "pretrained_models/mobilenetv2.model",
    trainLayers: ["layer4", "layer5", "layer6"],
    trainEpoch: 10,
    layersLr: 0.1,
  },
  neck: {
    type: "AdjustAllLayer",
    kwargs: { inChannels: [32, 96, 320], outChannels: [256, 256, 256] },
  },
} satisfies Experiment;
