import source from "../../../../native/cuda/iou_loss.cu" with { type: "text" };
import { IOU_LOSS_CODE, IouLoss } from "../../../ops/iou_loss.ts";
import { type CudaBackend, sizeOf } from "../backend.ts";
import { CudaProgram } from "../program.ts";
import { inFormat } from "../conversion.ts";
import { blockFor } from "./select_cross_entropy.ts";

const program = new CudaProgram("iou_loss", source);

export const iouLossCuda = IouLoss.kernel(
  "cuda",
  (cuda: CudaBackend, { pred, target, weight }, { kind, whenEmpty }) => {
    const loss = cuda.empty([]), gradient = cuda.emptyLike(pred);
    const boxes = sizeOf(weight.shape);
    const numbers = [boxes, IOU_LOSS_CODE[kind], Number(whenEmpty === "zero")];
    inFormat(cuda, "float32", {
      tensors: { target, weight },
      run: ({ target, weight }) =>
        cuda.launch(program, {
          function: "iou_loss",
          grid: [1, 1, 1],
          block: blockFor(boxes, 512),
          args: [pred, target, weight, loss, gradient, ...numbers],
        }),
    });
    return [loss, gradient];
  },
);
