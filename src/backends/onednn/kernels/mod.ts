import type { KernelConfig } from "@tensorflow/tfjs";
import { allReduceHost } from "../../all_reduce.ts";
import { activationBackwardOnednn, activationOnednn } from "./activation.ts";
import { batchMatMulOnednn } from "./batch_matmul.ts";
import { batchNormBackwardOnednn, batchNormOnednn } from "./batch_norm.ts";
import { channelGateBackwardOnednn, channelGateOnednn } from "./channel_gate.ts";
import {
  channelSumOnednn,
  conv2dBackwardInputOnednn,
  conv2dBackwardWeightOnednn,
  conv2dOnednn,
} from "./conv2d.ts";
import { concatOnednn, padOnednn, sliceOnednn, splitOnednn } from "./copy_box.ts";
import { addNOnednn, addOnednn, equalOnednn, multiplyOnednn } from "./elementwise.ts";
import { expOnednn } from "./exponential.ts";
import { foldedConv2dOnednn } from "./folded_conv2d.ts";
import { fuseLevelsBackwardOnednn, fuseLevelsOnednn } from "./fuse_levels.ts";
import { hardSwishBackwardOnednn, hardSwishOnednn } from "./hard_swish.ts";
import { iouLossOnednn } from "./iou_loss.ts";
import { maxPool2dBackwardOnednn, maxPool2dOnednn } from "./max_pool2d.ts";
import { selectCrossEntropyOnednn } from "./select_cross_entropy.ts";
import { sgdUpdateOnednn } from "./sgd_update.ts";
import { spatialMeanBackwardOnednn, spatialMeanOnednn } from "./spatial_mean.ts";
import { xcorrDepthwiseOnednn } from "./xcorr_depthwise.ts";

/** Every op of `src/ops` in native code, and those of tfjs that large tensors pass through. */
export const ONEDNN_KERNELS: readonly KernelConfig[] = [
  activationOnednn,
  activationBackwardOnednn,
  batchNormOnednn,
  batchNormBackwardOnednn,
  conv2dOnednn,
  conv2dBackwardInputOnednn,
  conv2dBackwardWeightOnednn,
  channelSumOnednn,
  foldedConv2dOnednn,
  maxPool2dOnednn,
  maxPool2dBackwardOnednn,
  xcorrDepthwiseOnednn,
  selectCrossEntropyOnednn,
  iouLossOnednn,
  sgdUpdateOnednn,
  addOnednn,
  addNOnednn,
  multiplyOnednn,
  equalOnednn,
  sliceOnednn,
  padOnednn,
  concatOnednn,
  splitOnednn,
  fuseLevelsOnednn,
  fuseLevelsBackwardOnednn,
  hardSwishOnednn,
  hardSwishBackwardOnednn,
  spatialMeanOnednn,
  spatialMeanBackwardOnednn,
  channelGateOnednn,
  channelGateBackwardOnednn,
  batchMatMulOnednn,
  expOnednn,
  allReduceHost("onednn"),
];
