import source from "../../../../native/cuda/conv2d.cu" with { type: "text" };
import { type CudaBackend, sizeOf } from "../backend.ts";
import type { ConvOperands, ConvProblem } from "../conv_problem.ts";
import { CudaProgram } from "../program.ts";

const program = new CudaProgram("conv2d", source);

const FUNCTION = {
  forward: "conv2d_forward",
  backwardInput: "conv2d_backward_input",
  backwardWeight: "conv2d_backward_weight",
} as const;

/** Most blocks of a launch; more work goes round. */
const MOST_BLOCKS = 65535;
const THREADS = 256;

/** Queues a pass by its definition, for what cuDNN refuses. */
export function queuePlainConvolution(
  cuda: CudaBackend,
  { pass, x, weight, y, geometry, format }: ConvProblem,
  { first, second, output }: ConvOperands,
): void {
  const { stride, padding, dilation, groups } = geometry;
  const numbers = [...x, ...y.slice(1), ...weight.slice(1, 3), stride, padding, dilation, groups];
  const table = cuda.live(Int32Array.from(numbers));
  const outputs = sizeOf(pass === "forward" ? y : pass === "backwardInput" ? x : weight);
  const blocks = pass === "backwardWeight" ? outputs : Math.ceil(outputs / THREADS);
  cuda.launch(program, {
    function: FUNCTION[pass],
    grid: [Math.min(blocks, MOST_BLOCKS), 1, 1],
    block: THREADS,
    types: { Element: format },
    args: [{ address: first }, { address: second }, { address: output }, table],
  });
  cuda.release(table);
}
