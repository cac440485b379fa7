import type { KernelConfig } from "@tensorflow/tfjs";
import {
  activationBackwardCuda,
  activationCuda,
  hardSwishBackwardCuda,
  hardSwishCuda,
} from "./activation.ts";
import { allReduceCuda } from "./all_reduce.ts";
import { batchMatMulCuda } from "./batch_matmul.ts";
import { batchNormBackwardCuda, batchNormCuda } from "./batch_norm.ts";
import { channelGateBackwardCuda, channelGateCuda } from "./channel_gate.ts";
import { channelSumCuda } from "./channel_sum.ts";
import { castCuda } from "./cast.ts";
import { conv2dBackwardInputCuda, conv2dBackwardWeightCuda, conv2dCuda } from "./conv2d.ts";
import {
  concatCuda,
  packCuda,
  padCuda,
  reverseCuda,
  sliceCuda,
  splitCuda,
  tileCuda,
  transposeCuda,
  unpackCuda,
} from "./copy_box.ts";
import { ELEMENTWISE_CUDA, selectCuda } from "./elementwise.ts";
import { fillCuda, onesLikeCuda, zerosLikeCuda } from "./fill.ts";
import { foldedConv2dCuda } from "./folded_conv2d.ts";
import { fuseLevelsBackwardCuda, fuseLevelsCuda } from "./fuse_levels.ts";
import { iouLossCuda } from "./iou_loss.ts";
import { maxPool2dBackwardCuda, maxPool2dCuda } from "./max_pool2d.ts";
import { REDUCE_CUDA } from "./reduce.ts";
import { expandDimsCuda, identityCuda, reshapeCuda } from "./reshape.ts";
import { selectCrossEntropyCuda } from "./select_cross_entropy.ts";
import { sgdUpdateCuda } from "./sgd_update.ts";
import { softmaxCuda } from "./softmax.ts";
import { spatialMeanBackwardCuda, spatialMeanCuda } from "./spatial_mean.ts";
import { addNCuda, UNARY_CUDA } from "./unary.ts";
import { xcorrDepthwiseCuda } from "./xcorr_depthwise.ts";

/** Every op of `src/ops` on the device, and those of tfjs that training and tracking use. */
export const CUDA_KERNELS: readonly KernelConfig[] = [
  activationCuda,
  activationBackwardCuda,
  hardSwishCuda,
  hardSwishBackwardCuda,
  batchNormCuda,
  batchNormBackwardCuda,
  channelSumCuda,
  conv2dCuda,
  conv2dBackwardInputCuda,
  conv2dBackwardWeightCuda,
  foldedConv2dCuda,
  maxPool2dCuda,
  maxPool2dBackwardCuda,
  xcorrDepthwiseCuda,
  batchMatMulCuda,
  selectCrossEntropyCuda,
  spatialMeanCuda,
  spatialMeanBackwardCuda,
  channelGateCuda,
  channelGateBackwardCuda,
  iouLossCuda,
  fuseLevelsCuda,
  fuseLevelsBackwardCuda,
  sgdUpdateCuda,
  allReduceCuda,
  castCuda,
  fillCuda,
  zerosLikeCuda,
  onesLikeCuda,
  identityCuda,
  reshapeCuda,
  expandDimsCuda,
  sliceCuda,
  padCuda,
  concatCuda,
  packCuda,
  splitCuda,
  unpackCuda,
  transposeCuda,
  reverseCuda,
  tileCuda,
  selectCuda,
  softmaxCuda,
  addNCuda,
  ...ELEMENTWISE_CUDA,
  ...UNARY_CUDA,
  ...REDUCE_CUDA,
];
