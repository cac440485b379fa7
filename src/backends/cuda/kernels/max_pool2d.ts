import source from "../../../../native/cuda/max_pool2d.cu" with { type: "text" };
import {
  MaxPool2d,
  MaxPool2dBackward,
  type PoolGeometry,
  poolOutputShape,
} from "../../../ops/max_pool2d.ts";
import { type CudaBackend, sizeOf } from "../backend.ts";
import { CudaProgram } from "../program.ts";
import { ROW_HEADERS, rowsOf, walkRows } from "../row_walk.ts";
import { inFormat } from "../conversion.ts";

const program = new CudaProgram("max_pool2d", source, ROW_HEADERS);

export const maxPool2dCuda = MaxPool2d.kernel("cuda", (cuda: CudaBackend, { x }, geometry) => {
  const y = cuda.emptyLike(x, poolOutputShape(x.shape, geometry));
  const { ending, grid, block } = walkRows(cuda, rowsOf(y.shape));
  cuda.launch(program, {
    function: `max_pool2d_${ending}`,
    grid,
    block,
    args: [x, y, ...poolNumbers(x.shape, y.shape, geometry)],
  });
  return y;
});

export const maxPool2dBackwardCuda = MaxPool2dBackward.kernel(
  "cuda",
  (cuda: CudaBackend, { dy, x }, geometry) => {
    const dx = cuda.emptyLike(x);
    const numbers = poolNumbers(x.shape, dy.shape, geometry);
    const winners = cuda.scratch(2 * sizeOf(dy.shape), "max pooling");
    const windows = walkRows(cuda, rowsOf(dy.shape)), pixels = walkRows(cuda, rowsOf(x.shape));
    cuda.launch(program, {
      function: `max_pool2d_winners_${windows.ending}`,
      grid: windows.grid,
      block: windows.block,
      args: [x, winners, ...numbers],
    });
    inFormat(cuda, cuda.format(x), {
      tensors: { dy },
      run: ({ dy }) =>
        cuda.launch(program, {
          function: `max_pool2d_backward_${pixels.ending}`,
          grid: pixels.grid,
          block: pixels.block,
          args: [dy, winners, dx, ...numbers],
        }),
    });
    cuda.release(winners);
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
