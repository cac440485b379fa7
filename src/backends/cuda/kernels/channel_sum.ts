import source from "../../../../native/cuda/channel_sum.cu" with { type: "text" };
import { ChannelSum } from "../../../ops/conv2d.ts";
import type { CudaBackend } from "../backend.ts";
import { CudaProgram } from "../program.ts";
import { ROW_HEADERS, rowsOf, walkParts, walkRows } from "../row_walk.ts";

const program = new CudaProgram("channel_sum", source, ROW_HEADERS);

export const channelSumCuda = ChannelSum.kernel("cuda", (cuda: CudaBackend, { x }) => {
  const [rows, channels] = rowsOf(x.shape);
  const sum = cuda.empty([channels]);
  const { ending, grid, block, splits } = walkRows(cuda, [rows, channels]);
  const parts = splits > 1 ? cuda.scratch(4 * splits * channels, "channel sum") : undefined;
  cuda.launch(program, {
    function: `channel_sum_${ending}`,
    grid,
    block,
    args: [x, parts ?? sum, rows, channels],
  });
  if (parts) {
    cuda.launch(program, {
      function: "channel_sum_finish",
      ...walkParts(cuda, splits, channels),
      types: { Element: x },
      args: [parts, sum, splits, channels],
    });
    cuda.release(parts);
  }
  return sum;
});
