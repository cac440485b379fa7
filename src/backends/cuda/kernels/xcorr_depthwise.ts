import type { TensorInfo } from "@tensorflow/tfjs";
import source from "../../../../native/cuda/xcorr_depthwise.cu" with { type: "text" };
import {
  type XcorrAttributes,
  XcorrDepthwise,
  xcorrOutputShape,
} from "../../../ops/xcorr_depthwise.ts";
import { type CudaBackend, sizeOf } from "../backend.ts";
import { CudaProgram } from "../program.ts";
import { FORMAT_BYTES } from "../storage.ts";
import { planXcorr, XCORR_THREADS } from "../xcorr_plan.ts";
import { inFormat } from "../conversion.ts";

const program = new CudaProgram("xcorr_depthwise", source);

export const xcorrDepthwiseCuda = XcorrDepthwise.kernel(
  "cuda",
  (cuda: CudaBackend, { x, z }, attributes) => {
    const y = cuda.emptyLike(x, xcorrOutputShape(x.shape, z.shape, attributes.padding));
    inFormat(cuda, cuda.format(x), {
      tensors: { z },
      run: ({ z }) => correlate(cuda, { x, z, y }, attributes),
    });
    return y;
  },
);

function correlate(
  cuda: CudaBackend,
  { x, z, y }: { readonly x: TensorInfo; readonly z: TensorInfo; readonly y: TensorInfo },
  { padding, flip }: XcorrAttributes,
): void {
  const [batch, height, width, channels] = x.shape;
  const [, kernelHeight, kernelWidth] = z.shape, [, outHeight, outWidth] = y.shape;
  const bytes = FORMAT_BYTES[cuda.format(x)];
  const sizes = [height, width, channels, kernelHeight, kernelWidth, outHeight, outWidth];
  const plan = planXcorr(
    { batch, channels, kernelHeight, kernelWidth, outHeight, outWidth, bytes },
    cuda.properties.multiprocessors,
  );
  if (!plan) {
    cuda.launch(program, {
      function: "xcorr_depthwise_plain",
      threads: sizeOf(y.shape),
      args: [x, z, y, batch, ...sizes, padding, Number(flip)],
    });
    return;
  }
  const { tile, band, columns, chunk, splits, shared, grid } = plan;
  const aligned = Number(channels * bytes % 16 === 0);
  cuda.launch(program, {
    function: "xcorr_depthwise",
    grid,
    block: XCORR_THREADS,
    shared,
    types: { Element: x },
    defines: { TILE_H: tile[0], TILE_W: tile[1] },
    args: [x, z, y, ...sizes, padding, Number(flip), band, columns, chunk, splits, aligned],
  });
}
