import type { DataType } from "@tensorflow/tfjs";
import { convert } from "../conversion.ts";
import { formatOf } from "../storage.ts";
import { overrideTfjs } from "./override_tfjs.ts";

export const castCuda = overrideTfjs("Cast", (cuda, { inputs: { x }, attrs }) => {
  const dtype = attrs.dtype as DataType;
  if (dtype === x.dtype) return cuda.share(x);
  return convert(cuda, x, { dtype, format: formatOf(dtype) });
});
