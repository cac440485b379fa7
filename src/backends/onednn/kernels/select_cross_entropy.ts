import { SelectCrossEntropy } from "../../../ops/select_cross_entropy.ts";
import type { OnednnBackend } from "../backend.ts";

export const selectCrossEntropyOnednn = SelectCrossEntropy.kernel(
  "onednn",
  (cpu: OnednnBackend, { logits, labels }) => {
    const loss = cpu.empty([]), gradient = cpu.empty(logits.shape);
    const points = logits.shape[0] * logits.shape[1] * logits.shape[2];
    const memory = { logits, labels, loss, gradient };
    cpu.run("siamban_select_cross_entropy", memory, { integers: [points] });
    return [loss, gradient];
  },
);
