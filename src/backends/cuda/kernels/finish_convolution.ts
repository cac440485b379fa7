import type { TensorInfo } from "@tensorflow/tfjs";
import source from "../../../../native/cuda/fold_norm.cu" with { type: "text" };
import { ACTIVATION_CODE, type AnyActivationKind } from "../../../ops/activation.ts";
import { type CudaBackend, float } from "../backend.ts";
import type { DeviceBlock } from "../memory_pool.ts";
import { CudaProgram } from "../program.ts";
import { ROW_HEADERS, rowsOf, walkRows } from "../row_walk.ts";

const program = new CudaProgram("fold_norm", source, ROW_HEADERS);

/** What follows a convolution. */
export interface ConvolutionEnd {
  /** Changed in place. */
  readonly y: TensorInfo;
  /** `[O]`, float32. */
  readonly bias: TensorInfo | DeviceBlock | undefined;
  /** In y's format. */
  readonly residual: TensorInfo | undefined;
  readonly activation: AnyActivationKind;
}

/** Queues y ← activation(y + bias + residual). */
export function finishConvolution(
  cuda: CudaBackend,
  { y, bias, residual, activation }: ConvolutionEnd,
): void {
  const [rows, channels] = rowsOf(y.shape);
  const { ending, grid, block } = walkRows(cuda, [rows, channels]);
  cuda.launch(program, {
    function: `finish_convolution_${ending}`,
    grid,
    block,
    types: { Element: y },
    args: [y, bias, residual, rows, channels, ACTIVATION_CODE[activation]],
  });
}

/** A batch norm with fixed statistics, and the bias in front of it. */
export interface FoldedNorm {
  readonly bias: TensorInfo | undefined;
  readonly normWeight: TensorInfo;
  readonly normBias: TensorInfo;
  readonly runningMean: TensorInfo;
  readonly runningVar: TensorInfo;
  readonly epsilon: number;
}

/** Queues folding a norm into filters, which then lie in the format of activations. */
export function foldNorm(
  cuda: CudaBackend,
  { weight, norm, to: [folded, foldedBias] }: {
    readonly weight: TensorInfo;
    readonly norm: FoldedNorm;
    readonly to: readonly DeviceBlock[];
  },
): void {
  const [filters, height, width, channels] = weight.shape;
  cuda.launch(program, {
    function: "fold_norm",
    grid: [filters, 1, 1],
    types: { Element: cuda.activationFormat },
    args: [
      weight,
      norm.bias,
      norm.normWeight,
      norm.normBias,
      norm.runningMean,
      norm.runningVar,
      folded,
      foldedBias,
      filters,
      height * width * channels,
      float(norm.epsilon),
    ],
  });
}
