/** Layers, and walks over the networks built from them. */
export * from "./activation.ts";
export * from "./batch_norm2d.ts";
export * from "./conv2d.ts";
export * from "./conv_block.ts";
export * from "./describe.ts";
export * from "./gradients.ts";
export * from "./identity.ts";
export * from "./init.ts";
export * from "./linear.ts";
export * from "./max_pool2d.ts";
export * from "./module.ts";
export * from "./parameter.ts";
export * from "./sequential.ts";
export * from "./squeeze_excite.ts";
export * from "./state_dict.ts";
