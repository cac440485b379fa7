import { SelectCrossEntropy } from "../../../ops/select_cross_entropy.ts";
import type { ReferenceBackend } from "../backend.ts";

export const selectCrossEntropyReference = SelectCrossEntropy.kernel(
  "reference",
  (backend: ReferenceBackend, { logits, labels }) => {
    const values = backend.floats(logits);
    const classes = backend.ints(labels);
    const loss = backend.empty([]);
    const gradient = backend.empty(logits.shape);
    const gradients = backend.floats(gradient).fill(0);
    const counts = [0, 0];
    for (const label of classes) if (label === 0 || label === 1) counts[label]++;
    let sum = 0;
    for (let i = 0; i < classes.length; i++) {
      const label = classes[i];
      if (label !== 0 && label !== 1) continue;
      const share = 0.5 / counts[label];
      // With two classes -log p(own) = log(1 + exp(d)), d = other - own; this form never overflows.
      const d = values[2 * i + 1 - label] - values[2 * i + label];
      const tail = Math.exp(-Math.abs(d));
      sum += share * (Math.max(d, 0) + Math.log1p(tail));
      const other = d > 0 ? 1 / (1 + tail) : tail / (1 + tail); // p(other)
      gradients[2 * i + 1 - label] = share * other;
      gradients[2 * i + label] = -share * other;
    }
    backend.floats(loss)[0] = sum;
    return [loss, gradient];
  },
);
