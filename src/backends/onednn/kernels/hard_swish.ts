import { HardSwish, HardSwishBackward } from "../../../ops/hard_swish.ts";
import type { OnednnBackend } from "../backend.ts";

export const hardSwishOnednn = HardSwish.kernel("onednn", (cpu: OnednnBackend, { x }) => {
  const y = cpu.empty(x.shape);
  cpu.run("siamban_hard_swish", { x, y }, { integers: [sizeOf(x.shape)] });
  return y;
});

export const hardSwishBackwardOnednn = HardSwishBackward.kernel(
  "onednn",
  (cpu: OnednnBackend, { dy, x }) => {
    const dx = cpu.empty(x.shape);
    cpu.run("siamban_hard_swish_backward", { dy, x, dx }, { integers: [sizeOf(x.shape)] });
    return dx;
  },
);

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
