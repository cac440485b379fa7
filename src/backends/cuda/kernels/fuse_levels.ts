import type { TensorInfo } from "@tensorflow/tfjs";
import source from "../../../../native/cuda/fuse_levels.cu" with { type: "text" };
import type { KernelInputs, OpInputs } from "../../../ops/define_op.ts";
import { FuseLevels, FuseLevelsBackward } from "../../../ops/fuse_levels.ts";
import { type CudaBackend, sizeOf } from "../backend.ts";
import { CudaProgram } from "../program.ts";
import { inFormat } from "../conversion.ts";

const program = new CudaProgram("fuse_levels", source);

/** Maps that the kernels take, `kMostLevels` of `native/cuda/fuse_levels.cu`. */
const MOST_LEVELS = 8;
/** Threads of a block. */
const THREADS = 256;

export const fuseLevelsCuda = FuseLevels.kernel(
  "cuda",
  (cuda: CudaBackend, { weight, scale, ...inputs }, { levels, exponential }) => {
    const maps = mapsOf(inputs, levels);
    const y = cuda.emptyLike(maps[0]), size = sizeOf(y.shape);
    inFormat(cuda, cuda.format(y), {
      tensors: { ...inputs },
      run: (same) =>
        cuda.launch(program, {
          function: "fuse_levels",
          threads: size,
          types: { Element: y },
          args: [
            ...eight(mapsOf(same, levels)),
            weight,
            scale,
            y,
            size,
            levels,
            Number(exponential),
          ],
        }),
    });
    return y;
  },
);

export const fuseLevelsBackwardCuda = FuseLevelsBackward.kernel(
  "cuda",
  (cuda: CudaBackend, { dy, weight, scale, ...inputs }, { levels, exponential }) => {
    const maps = mapsOf(inputs, levels);
    const dmaps = maps.map((map) => cuda.emptyLike(maps[0], map.shape));
    const size = sizeOf(dy.shape);
    const blocks = Math.min(Math.ceil(size / THREADS), cuda.properties.multiprocessors);
    const parts = cuda.scratch(8 * blocks * levels, "head");
    inFormat(cuda, cuda.format(maps[0]), {
      tensors: { dy, ...inputs },
      run: ({ dy, ...same }) =>
        cuda.launch(program, {
          function: "fuse_levels_backward",
          grid: [blocks, 1, 1],
          block: THREADS,
          types: { Element: maps[0] },
          args: [
            dy,
            ...eight(mapsOf(same, levels)),
            weight,
            scale,
            ...eight(dmaps),
            parts,
            size,
            levels,
            Number(exponential),
          ],
        }),
    });
    const dweight = weight && cuda.empty([levels]), dscale = scale && cuda.empty([levels]);
    cuda.launch(program, {
      function: "fuse_levels_finish",
      grid: [1, 1, 1],
      block: THREADS,
      types: { Element: maps[0] },
      args: [parts, weight, dweight, dscale, blocks, levels],
    });
    cuda.release(parts);
    return [...dmaps, ...(dweight ? [dweight] : []), ...(dscale ? [dscale] : [])];
  },
);

function mapsOf(inputs: KernelInputs<OpInputs>, levels: number): TensorInfo[] {
  return Array.from({ length: levels }, (_, i) => inputs[`map${i}`]!);
}

/** A launch's arguments: those that are not there are NULL. */
function eight(maps: readonly TensorInfo[]): (TensorInfo | undefined)[] {
  return Array.from({ length: MOST_LEVELS }, (_, i) => maps[i]);
}
