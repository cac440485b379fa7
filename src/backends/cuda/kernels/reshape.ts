import * as tf from "@tensorflow/tfjs";
import { sizeOf } from "../backend.ts";
import { overrideTfjs } from "./override_tfjs.ts";

// Each result shares the data of its input.

export const identityCuda = overrideTfjs("Identity", (cuda, { inputs: { x } }) => cuda.share(x));

export const reshapeCuda = overrideTfjs("Reshape", (cuda, { inputs: { x }, attrs }) => {
  const wanted = attrs.shape as number[];
  return cuda.share(x, tf.util.inferFromImplicitShape(wanted, sizeOf(x.shape)));
});

export const expandDimsCuda = overrideTfjs("ExpandDims", (cuda, { inputs: { input }, attrs }) => {
  const dim = attrs.dim as number;
  const shape = [...input.shape];
  shape.splice(dim < 0 ? shape.length + dim + 1 : dim, 0, 1);
  return cuda.share(input, shape);
});
