import source from "../../../../native/cuda/channel_gate.cu" with { type: "text" };
import { ChannelGate, ChannelGateBackward, GATE_CODE } from "../../../ops/channel_gate.ts";
import type { CudaBackend } from "../backend.ts";
import { CudaProgram } from "../program.ts";
import { ROW_HEADERS, type RowWalk, walkRows } from "../row_walk.ts";
import { inFormat } from "../conversion.ts";

export const channelGateProgram = new CudaProgram("channel_gate", source, ROW_HEADERS);

export const channelGateCuda = ChannelGate.kernel(
  "cuda",
  (cuda: CudaBackend, { x, gate }, { kind }) => {
    const y = cuda.emptyLike(x);
    const { ending, grid, block, pixels, channels } = walkImages(cuda, x.shape);
    inFormat(cuda, cuda.format(x), {
      tensors: { gate },
      run: ({ gate }) =>
        cuda.launch(channelGateProgram, {
          function: `channel_gate_${ending}`,
          grid,
          block,
          args: [x, gate, y, pixels, channels, GATE_CODE[kind]],
        }),
    });
    return y;
  },
);

export const channelGateBackwardCuda = ChannelGateBackward.kernel(
  "cuda",
  (cuda: CudaBackend, { dy, x, gate }, { kind }) => {
    const dgate = cuda.emptyLike(x, gate.shape);
    const { ending, grid: [across, , images], block, pixels, channels } = walkImages(cuda, x.shape);
    inFormat(cuda, cuda.format(x), {
      tensors: { dy, gate },
      run: ({ dy, gate }) =>
        cuda.launch(channelGateProgram, {
          function: `channel_gate_backward_${ending}`,
          grid: [across, 1, images],
          block,
          args: [dy, x, gate, dgate, pixels, channels, GATE_CODE[kind]],
        }),
    });
    return dgate;
  },
);

/** Spreads the pixels of each image over blocks. */
export function walkImages(
  cuda: CudaBackend,
  [batch, height, width, channels]: readonly number[],
): RowWalk & { readonly pixels: number; readonly channels: number } {
  const pixels = height * width;
  const walk = walkRows(cuda, [pixels, channels]);
  const [across, down] = walk.grid;
  return { ...walk, grid: [across, down, batch], pixels, channels };
}
