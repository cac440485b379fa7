import type { KernelConfig } from "@tensorflow/tfjs";
import source from "../../../../native/cuda/softmax.cu" with { type: "text" };
import { CudaProgram } from "../program.ts";
import { rowsOf } from "../row_walk.ts";
import { overrideTfjs } from "./override_tfjs.ts";

const program = new CudaProgram("softmax", source);

export const softmaxCuda = overLastAxis("Softmax", { axis: "dim", logarithm: false });
export const logSoftmaxCuda = overLastAxis("LogSoftmax", { axis: "axis", logarithm: true });

/** tfjs allows no other axis than the last. */
function overLastAxis(
  kernelName: string,
  { axis, logarithm }: { readonly axis: string; readonly logarithm: boolean },
): KernelConfig {
  return overrideTfjs(kernelName, (cuda, { inputs: { logits }, attrs }) => {
    const last = logits.shape.length - 1;
    if (logits.dtype !== "float32" || ![-1, last].includes(attrs[axis] as number)) return undefined;
    const y = cuda.emptyLike(logits);
    const [rows, length] = rowsOf(logits.shape);
    cuda.launch(program, {
      function: "softmax",
      threads: rows,
      args: [logits, y, rows, length, Number(logarithm)],
    });
    return y;
  });
}
