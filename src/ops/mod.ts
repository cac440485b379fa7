/** The ops that tfjs lacks or cannot differentiate, each declared once for every backend. */
export * from "./activation.ts";
export * from "./batch_norm.ts";
export * from "./channel_gate.ts";
export * from "./conv2d.ts";
export * from "./define_op.ts";
export * from "./folded_conv2d.ts";
export * from "./fuse_levels.ts";
export * from "./hard_swish.ts";
export * from "./iou_loss.ts";
export * from "./max_pool2d.ts";
export * from "./select_cross_entropy.ts";
export * from "./sgd_update.ts";
export * from "./spatial_mean.ts";
export * from "./xcorr_depthwise.ts";
export * from "./xcorr_fast.ts";
export * from "./xcorr_pixelwise.ts";
