import type { Experiment } from "../../mod.ts";
import alexnet from "../../configs/siamban_alexnet.ts";
import mobilenetv2 from "../../configs/siamban_mobilenetv2.ts";
import resnet50 from "../../configs/siamban_r50_l234.ts";
import nanotrackV1 from "../../configs/nanotrack_v1.ts";
import nanotrackV2 from "../../configs/nanotrack_v2.ts";
import nanotrackV3 from "../../configs/nanotrack_v3.ts";

/** A network to time, and the size of its search images. */
export interface Subject {
  readonly name: string;
  readonly experiment: Experiment;
  /** Parts of the backbone that train in the regime of that name. */
  readonly trainLayers: readonly string[];
  readonly searchSize: number;
  /** Points a side of its score map. */
  readonly scoreSize: number;
}

const resnet18: Experiment = {
  ...resnet50,
  backbone: { ...resnet50.backbone, type: "resnet18" },
  neck: {
    type: "AdjustAllLayer",
    kwargs: { inChannels: [128, 256, 512], outChannels: [256, 256, 256] },
  },
};

/** The published networks by name, the first of them SiamBAN-R50. */
export const NETWORKS: readonly Subject[] = Object.entries({
  resnet50,
  resnet18,
  mobilenetv2,
  alexnet,
  nanotrack_v1: nanotrackV1,
  nanotrack_v2: nanotrackV2,
  nanotrack_v3: nanotrackV3,
}).map(([name, experiment]: [string, Experiment]) => ({
  name,
  experiment: { ...experiment, backbone: { ...experiment.backbone, pretrained: undefined } },
  trainLayers: experiment.backbone?.trainLayers ?? [],
  searchSize: 255,
  scoreSize: experiment.training?.scoreSize ?? 25,
})) as Subject[];

/** SiamBAN-R50 as published. */
export const R50 = NETWORKS[0];
