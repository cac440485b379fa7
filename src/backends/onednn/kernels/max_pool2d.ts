import {
  MaxPool2d,
  MaxPool2dBackward,
  type PoolGeometry,
  poolOutputShape,
} from "../../../ops/max_pool2d.ts";
import type { OnednnBackend } from "../backend.ts";

export const maxPool2dOnednn = MaxPool2d.kernel("onednn", (cpu: OnednnBackend, { x }, geometry) => {
  const y = cpu.empty(poolOutputShape(x.shape, geometry));
  const integers = poolNumbers(x.shape, y.shape, geometry);
  cpu.run("siamban_max_pool2d", { in: undefined, x, y }, { integers });
  return y;
});

export const maxPool2dBackwardOnednn = MaxPool2dBackward.kernel(
  "onednn",
  (cpu: OnednnBackend, { dy, x }, geometry) => {
    const dx = cpu.empty(x.shape);
    const integers = poolNumbers(x.shape, dy.shape, geometry);
    cpu.run("siamban_max_pool2d_backward", { dy, x, dx }, { integers });
    return dx;
  },
);

function poolNumbers(
  x: readonly number[],
  y: readonly number[],
  { kernel, stride, padding }: PoolGeometry,
): number[] {
  return [...x, y[1], y[2], kernel, stride, padding];
}
