import { Activation, ACTIVATION_CODE, ActivationBackward } from "../../../ops/activation.ts";
import type { OnednnBackend } from "../backend.ts";

export const activationOnednn = Activation.kernel(
  "onednn",
  (cpu: OnednnBackend, { x }, { kind }) => {
    if (kind === "none") return cpu.share(x);
    const y = cpu.empty(x.shape);
    cpu.run("siamban_activation", { x, y }, { integers: [sizeOf(x.shape), ACTIVATION_CODE[kind]] });
    return y;
  },
);

export const activationBackwardOnednn = ActivationBackward.kernel(
  "onednn",
  (cpu: OnednnBackend, { dy, y }, { kind }) => {
    if (kind === "none") return cpu.share(dy);
    const dx = cpu.empty(y.shape);
    const integers = [sizeOf(y.shape), ACTIVATION_CODE[kind]];
    cpu.run("siamban_activation_backward", { dy, y, dx }, { integers });
    return dx;
  },
);

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
