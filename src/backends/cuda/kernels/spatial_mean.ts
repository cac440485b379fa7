import { SpatialMean, SpatialMeanBackward } from "../../../ops/spatial_mean.ts";
import type { CudaBackend } from "../backend.ts";
import { channelGateProgram, walkImages } from "./channel_gate.ts";
import { reduceMiddle, REDUCTION } from "./reduce.ts";

export const spatialMeanCuda = SpatialMean.kernel(
  "cuda",
  (cuda: CudaBackend, { x }, { height, width }) => {
    const [batch, , , channels] = x.shape;
    return reduceMiddle(cuda, x, {
      sizes: { outer: batch, length: height * width, inner: channels },
      reduction: REDUCTION.Mean,
      scale: 1 / (height * width),
      shape: [batch, 1, 1, channels],
    });
  },
);

export const spatialMeanBackwardCuda = SpatialMeanBackward.kernel(
  "cuda",
  (cuda: CudaBackend, { dy }, { height, width }) => {
    const [batch, , , channels] = dy.shape;
    const dx = cuda.emptyLike(dy, [batch, height, width, channels]);
    const { ending, grid, block, pixels } = walkImages(cuda, dx.shape);
    cuda.launch(channelGateProgram, {
      function: `spread_mean_${ending}`,
      grid,
      block,
      args: [dy, dx, pixels, channels],
    });
    return dx;
  },
);
