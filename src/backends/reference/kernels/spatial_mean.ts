import { SpatialMean, SpatialMeanBackward } from "../../../ops/spatial_mean.ts";
import type { ReferenceBackend } from "../backend.ts";

export const spatialMeanReference = SpatialMean.kernel(
  "reference",
  (backend: ReferenceBackend, { x }) => {
    const [batch, height, width, channels] = x.shape;
    const mean = backend.empty([batch, 1, 1, channels]);
    const values = backend.floats(x), pixels = height * width;
    for (let b = 0; b < batch; b++) {
      const sums = new Float64Array(channels);
      for (let p = 0; p < pixels; p++) {
        const from = (b * pixels + p) * channels;
        for (let c = 0; c < channels; c++) sums[c] += values[from + c];
      }
      backend.floats(mean).set(sums.map((sum) => sum / pixels), b * channels);
    }
    return mean;
  },
);

export const spatialMeanBackwardReference = SpatialMeanBackward.kernel(
  "reference",
  (backend: ReferenceBackend, { dy }, { height, width }) => {
    const [batch, , , channels] = dy.shape;
    const pixels = height * width;
    const dx = backend.empty([batch, height, width, channels]);
    for (let b = 0; b < batch; b++) {
      const share = backend.floats(dy).subarray(b * channels, (b + 1) * channels)
        .map((value) => value / pixels);
      for (let p = 0; p < pixels; p++) backend.floats(dx).set(share, (b * pixels + p) * channels);
    }
    return dx;
  },
);
