import type { TensorInfo } from "@tensorflow/tfjs";
import { addressOf } from "../../../ffi/memory.ts";
import { SgdUpdate } from "../../../ops/sgd_update.ts";
import type { OnednnBackend } from "../backend.ts";

export const sgdUpdateOnednn = SgdUpdate.kernel(
  "onednn",
  (cpu: OnednnBackend, inputs, { count, learningRates, ...options }) => {
    const entries = new BigUint64Array(4 * count);
    const changed: TensorInfo[] = [];
    for (let i = 0; i < count; i++) {
      const [parameter, gradient, velocity] = ["param", "grad", "velocity"]
        .map((name) => inputs[`${name}${i}`] as TensorInfo);
      const values = cpu.floats(parameter);
      entries[4 * i] = addressOf(values);
      entries[4 * i + 1] = addressOf(cpu.floats(gradient));
      entries[4 * i + 2] = addressOf(cpu.floats(velocity));
      entries[4 * i + 3] = BigInt(values.length);
      changed.push(parameter, velocity);
    }
    const report = cpu.empty([3]);
    const { momentum, weightDecay, clipNorm, maxLoss } = options;
    cpu.run("siamban_sgd_update", { loss: inputs.loss, entries, learningRates, report }, {
      integers: [count],
      reals: [momentum, weightDecay, clipNorm, maxLoss],
      about: `${count} parameters`,
    });
    // A step that is only written down may be applied whenever it is replayed.
    const applied = cpu.recordsDry || cpu.floats(report)[2] !== 0;
    if (applied) { for (const tensor of changed) cpu.touch(tensor); }
    return report;
  },
);
