import source from "../../../../native/cuda/select_cross_entropy.cu" with { type: "text" };
import { SelectCrossEntropy } from "../../../ops/select_cross_entropy.ts";
import { type CudaBackend, sizeOf } from "../backend.ts";
import { CudaProgram } from "../program.ts";

const program = new CudaProgram("select_cross_entropy", source);

export const selectCrossEntropyCuda = SelectCrossEntropy.kernel(
  "cuda",
  (cuda: CudaBackend, { logits, labels }) => {
    const loss = cuda.empty([]), gradient = cuda.emptyLike(logits);
    const points = sizeOf(labels.shape);
    cuda.launch(program, {
      function: "select_cross_entropy",
      grid: [1, 1, 1],
      block: blockFor(points, 1024),
      args: [logits, labels, loss, gradient, points],
    });
    return [loss, gradient];
  },
);

/** Threads of the only block: whole warps, no more than there is work for. */
export function blockFor(items: number, most: number): number {
  return Math.min(most, Math.max(32, 32 * Math.ceil(items / 32)));
}
