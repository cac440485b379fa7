import type { TensorInfo } from "@tensorflow/tfjs";
import source from "../../../../native/cuda/batch_norm.cu" with { type: "text" };
import { ACTIVATION_CODE } from "../../../ops/activation.ts";
import { BatchNorm, BatchNormBackward } from "../../../ops/batch_norm.ts";
import { type CudaBackend, float } from "../backend.ts";
import { CudaProgram } from "../program.ts";
import { ROW_HEADERS, rowsOf, walkParts, walkRows } from "../row_walk.ts";
import { inFormat } from "../conversion.ts";

const program = new CudaProgram("batch_norm", source, ROW_HEADERS);

/** What the statistics of a batch are taken from and written to. */
interface Statistics {
  readonly x: TensorInfo;
  readonly mean: TensorInfo;
  readonly invStd: TensorInfo;
  readonly runningMean: TensorInfo;
  readonly runningVar: TensorInfo;
}

export const batchNormCuda = BatchNorm.kernel(
  "cuda",
  (cuda: CudaBackend, inputs, { training, activation, epsilon, momentum }) => {
    const { x, weight, bias, runningMean, runningVar, residual } = inputs;
    const [rows, channels] = rowsOf(x.shape);
    const y = cuda.emptyLike(x), mean = cuda.empty([channels]), invStd = cuda.empty([channels]);
    const statistics = { x, mean, invStd, runningMean, runningVar };
    if (training) findMoments(cuda, statistics, { epsilon, momentum });
    else useRunning(cuda, statistics, epsilon);
    const { ending, grid, block } = walkRows(cuda, [rows, channels]);
    inFormat(cuda, cuda.format(x), {
      tensors: { residual },
      run: ({ residual }) =>
        cuda.launch(program, {
          function: `normalise_${ending}`,
          grid,
          block,
          args: [
            x,
            weight,
            bias,
            mean,
            invStd,
            residual,
            y,
            rows,
            channels,
            ACTIVATION_CODE[activation],
          ],
        }),
    });
    return [y, mean, invStd];
  },
);

export const batchNormBackwardCuda = BatchNormBackward.kernel(
  "cuda",
  (cuda: CudaBackend, { dy, x, y, weight, mean, invStd }, { training, activation }) => {
    const [rows, channels] = rowsOf(x.shape);
    const dx = cuda.emptyLike(x);
    const dweight = cuda.empty([channels]), dbias = cuda.empty([channels]);
    const masks = activation !== "none";
    const { ending, grid, block, splits } = walkRows(cuda, [rows, channels]);
    const parts = cuda.scratch(8 * splits * channels, "batch norm");
    const g = inFormat(cuda, cuda.format(x), {
      tensors: { dy, y },
      run: ({ dy, y }) => {
        const g = masks ? cuda.emptyLike(x) : cuda.share(dy);
        const code = ACTIVATION_CODE[activation];
        cuda.launch(program, {
          function: `backward_sums_${ending}`,
          grid,
          block,
          types: { Element: x },
          args: [dy, x, y, mean, g, parts, rows, channels, code],
        });
        return g;
      },
    });
    cuda.launch(program, {
      function: "finish_backward",
      ...walkParts(cuda, splits, channels),
      types: { Element: x },
      args: [parts, invStd, dweight, dbias, splits, channels],
    });
    cuda.release(parts);
    cuda.launch(program, {
      function: `backward_input_${ending}`,
      grid,
      block,
      args: [g, x, weight, mean, invStd, dweight, dbias, dx, rows, channels, Number(training)],
    });
    return [dx, dweight, dbias, g];
  },
);

/** Statistics of the batch, blended into the running ones. */
function findMoments(
  cuda: CudaBackend,
  { x, mean, invStd, runningMean, runningVar }: Statistics,
  { epsilon, momentum }: { readonly epsilon: number; readonly momentum: number },
): void {
  const [rows, channels] = rowsOf(x.shape);
  const { ending, grid, block, splits } = walkRows(cuda, [rows, channels]);
  const parts = cuda.scratch(8 * splits * channels, "batch norm");
  cuda.launch(program, {
    function: `moments_${ending}`,
    grid,
    block,
    args: [x, parts, rows, channels],
  });
  cuda.launch(program, {
    function: "finish_moments",
    ...walkParts(cuda, splits, channels),
    args: [
      x,
      parts,
      mean,
      invStd,
      runningMean,
      runningVar,
      splits,
      rows,
      channels,
      float(epsilon),
      float(momentum),
    ],
  });
  cuda.release(parts);
  cuda.touch(runningMean);
  cuda.touch(runningVar);
}

/** The running statistics, as they are. */
function useRunning(
  cuda: CudaBackend,
  { x, mean, invStd, runningMean, runningVar }: Statistics,
  epsilon: number,
): void {
  const [channels] = mean.shape;
  cuda.launch(program, {
    function: "running_moments",
    threads: channels,
    types: { Element: x },
    args: [runningMean, runningVar, mean, invStd, channels, float(epsilon)],
  });
}
