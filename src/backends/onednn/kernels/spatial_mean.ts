import { SpatialMean, SpatialMeanBackward } from "../../../ops/spatial_mean.ts";
import type { OnednnBackend } from "../backend.ts";

export const spatialMeanOnednn = SpatialMean.kernel(
  "onednn",
  (cpu: OnednnBackend, { x }, { height, width }) => {
    const [batch, , , channels] = x.shape;
    const mean = cpu.empty([batch, 1, 1, channels]);
    cpu.run("siamban_spatial_mean", { x, mean }, { integers: [batch, height * width, channels] });
    return mean;
  },
);

export const spatialMeanBackwardOnednn = SpatialMeanBackward.kernel(
  "onednn",
  (cpu: OnednnBackend, { dy }, { height, width }) => {
    const [batch, , , channels] = dy.shape;
    const dx = cpu.empty([batch, height, width, channels]);
    const integers = [batch, height * width, channels];
    cpu.run("siamban_spatial_mean_backward", { dy, dx }, { integers });
    return dx;
  },
);
