import type { KernelConfig } from "@tensorflow/tfjs";
import { allReduceHost } from "../../all_reduce.ts";
import { activationBackwardReference, activationReference } from "./activation.ts";
import { batchNormBackwardReference, batchNormReference } from "./batch_norm.ts";
import { channelGateBackwardReference, channelGateReference } from "./channel_gate.ts";
import {
  channelSumReference,
  conv2dBackwardInputReference,
  conv2dBackwardWeightReference,
  conv2dReference,
} from "./conv2d.ts";
import { foldedConv2dReference } from "./folded_conv2d.ts";
import { fuseLevelsBackwardReference, fuseLevelsReference } from "./fuse_levels.ts";
import { hardSwishBackwardReference, hardSwishReference } from "./hard_swish.ts";
import { iouLossReference } from "./iou_loss.ts";
import { maxPool2dBackwardReference, maxPool2dReference } from "./max_pool2d.ts";
import { selectCrossEntropyReference } from "./select_cross_entropy.ts";
import { sgdUpdateReference } from "./sgd_update.ts";
import { spatialMeanBackwardReference, spatialMeanReference } from "./spatial_mean.ts";
import { xcorrDepthwiseReference } from "./xcorr_depthwise.ts";

/** Every op of `src/ops` in plain TypeScript. */
export const REFERENCE_KERNELS: readonly KernelConfig[] = [
  activationBackwardReference,
  activationReference,
  batchNormBackwardReference,
  batchNormReference,
  channelGateBackwardReference,
  channelGateReference,
  channelSumReference,
  conv2dBackwardInputReference,
  conv2dBackwardWeightReference,
  conv2dReference,
  foldedConv2dReference,
  fuseLevelsBackwardReference,
  fuseLevelsReference,
  hardSwishBackwardReference,
  hardSwishReference,
  iouLossReference,
  maxPool2dBackwardReference,
  maxPool2dReference,
  selectCrossEntropyReference,
  sgdUpdateReference,
  spatialMeanBackwardReference,
  spatialMeanReference,
  xcorrDepthwiseReference,
  allReduceHost("reference"),
];
