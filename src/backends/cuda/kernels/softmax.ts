import source from "../../../../native/cuda/softmax.cu" with { type: "text" };
import { CudaProgram } from "../program.ts";
import { rowsOf } from "../row_walk.ts";
import { overrideTfjs } from "./override_tfjs.ts";

const program = new CudaProgram("softmax", source);

/** tfjs allows no other axis than the last. */
export const softmaxCuda = overrideTfjs("Softmax", (cuda, { inputs: { logits } }) => {
  if (logits.dtype !== "float32") return undefined;
  const y = cuda.emptyLike(logits);
  const [rows, length] = rowsOf(logits.shape);
  cuda.launch(program, {
    function: "softmax",
    threads: rows,
    args: [logits, y, rows, length],
  });
  return y;
});
