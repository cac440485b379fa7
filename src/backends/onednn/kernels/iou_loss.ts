import { IOU_LOSS_CODE, IouLoss } from "../../../ops/iou_loss.ts";
import type { OnednnBackend } from "../backend.ts";

export const iouLossOnednn = IouLoss.kernel(
  "onednn",
  (cpu: OnednnBackend, { pred, target, weight }, { kind, whenEmpty }) => {
    const loss = cpu.empty([]), gradient = cpu.empty(pred.shape);
    const boxes = weight.shape.reduce((product, size) => product * size, 1);
    cpu.run("siamban_iou_loss", { pred, target, weight, loss, gradient }, {
      integers: [boxes, IOU_LOSS_CODE[kind], Number(whenEmpty === "zero")],
    });
    return [loss, gradient];
  },
);
