import type { TensorInfo } from "@tensorflow/tfjs";
import { addressOf } from "../../../ffi/memory.ts";
import type { KernelInputs, OpInputs } from "../../../ops/define_op.ts";
import { FuseLevels, FuseLevelsBackward } from "../../../ops/fuse_levels.ts";
import type { OnednnBackend } from "../backend.ts";

export const fuseLevelsOnednn = FuseLevels.kernel(
  "onednn",
  (cpu: OnednnBackend, { weight, scale, ...inputs }, { levels, exponential }) => {
    const maps = mapsOf(inputs, levels);
    const y = cpu.empty(maps[0].shape);
    const memory = { table: addresses(cpu, maps), weight, scale, y };
    cpu.run("siamban_fuse_levels", memory, {
      integers: [levels, cpu.floats(y).length, Number(exponential)],
    });
    return y;
  },
);

export const fuseLevelsBackwardOnednn = FuseLevelsBackward.kernel(
  "onednn",
  (cpu: OnednnBackend, { dy, weight, scale, ...inputs }, { levels, exponential }) => {
    const dmaps = mapsOf(inputs, levels).map(() => cpu.empty(dy.shape));
    const dweight = weight && cpu.empty([levels]), dscale = scale && cpu.empty([levels]);
    const memory = {
      dy,
      table: addresses(cpu, mapsOf(inputs, levels)),
      weight,
      scale,
      gradients: addresses(cpu, dmaps),
      dweight,
      dscale,
    };
    cpu.run("siamban_fuse_levels_backward", memory, {
      integers: [levels, cpu.floats(dy).length, Number(exponential)],
    });
    return [...dmaps, ...(dweight ? [dweight] : []), ...(dscale ? [dscale] : [])];
  },
);

function mapsOf(inputs: KernelInputs<OpInputs>, levels: number): TensorInfo[] {
  return Array.from({ length: levels }, (_, i) => inputs[`map${i}`]!);
}

function addresses(cpu: OnednnBackend, tensors: readonly TensorInfo[]): BigUint64Array {
  return BigUint64Array.from(tensors, (tensor) => addressOf(cpu.floats(tensor)));
}
