import type { TensorInfo } from "@tensorflow/tfjs";
import { convOutputShape } from "../../../ops/conv2d.ts";
import { FoldedConv2d, type FoldedConvAttributes } from "../../../ops/folded_conv2d.ts";
import { type CudaBackend, sizeOf } from "../backend.ts";
import type { DeviceBlock } from "../memory_pool.ts";
import { FORMAT_BYTES } from "../storage.ts";
import { describeProblem, filterAddress, queueConvolution, widened } from "./conv2d.ts";
import { convertMemory, inFormat } from "../conversion.ts";
import { finishConvolution, type FoldedNorm, foldNorm } from "./finish_convolution.ts";

/** Filters and what is added behind them. */
interface Filter {
  readonly weight: bigint;
  readonly bias?: {
    /** `[O]`, float32. */
    readonly whole: TensorInfo | DeviceBlock;
    /** Address of the same in the format of activations, as cuDNN wants it. */
    readonly packed: bigint;
  };
}

/** Operands that must lie in the format of activations. */
interface Maps {
  readonly [name: string]: TensorInfo | undefined;
  readonly x: TensorInfo;
  readonly residual: TensorInfo | undefined;
}

export const foldedConv2dCuda = FoldedConv2d.kernel(
  "cuda",
  (cuda: CudaBackend, { x, weight, residual, ...norm }, attributes) => {
    const { bias, normWeight, normBias, runningMean, runningVar } = norm;
    const { epsilon } = attributes;
    const filter = normWeight && normBias && runningMean && runningVar
      ? foldedFilter(cuda, weight, { bias, normWeight, normBias, runningMean, runningVar, epsilon })
      : plainFilter(cuda, weight, bias);
    const y = inFormat(cuda, cuda.activationFormat, {
      tensors: { x, residual } as Maps,
      run: (maps) => convolve(cuda, maps, { filter, shape: weight.shape, attributes }),
    });
    return widened(cuda, y);
  },
);

function convolve(
  cuda: CudaBackend,
  { x, residual }: Maps,
  { filter, shape, attributes }: {
    readonly filter: Filter;
    readonly shape: readonly number[];
    readonly attributes: FoldedConvAttributes;
  },
): TensorInfo {
  const { activation, epsilon: _, ...geometry } = attributes;
  const format = cuda.activationFormat;
  const y = cuda.empty(convOutputShape(x.shape, shape, geometry), "float32", format);
  const problem = {
    pass: "forward",
    x: x.shape,
    weight: shape,
    y: y.shape,
    geometry,
    format,
  } as const;
  const operands = {
    first: cuda.address(x),
    second: filter.weight,
    output: cuda.address(y),
  };
  const { bias } = filter;
  let done = false;
  if (bias && (activation === "none" || activation === "relu")) {
    const tail = {
      bias: bias.packed,
      residual: residual ? cuda.address(residual) : 0n,
      activation,
    };
    cuda.guard(
      () => done = cuda.convolutions.runFused(problem, operands, tail),
      () => describeProblem(problem),
    );
  }
  if (done) return y;
  queueConvolution(cuda, { problem, operands });
  if (bias || residual || activation !== "none") {
    finishConvolution(cuda, { y, bias: bias?.whole, residual, activation });
  }
  return y;
}

function plainFilter(cuda: CudaBackend, weight: TensorInfo, bias: TensorInfo | undefined): Filter {
  return {
    weight: filterAddress(cuda, weight),
    ...(bias ? { bias: { whole: bias, packed: filterAddress(cuda, bias) } } : {}),
  };
}

/** The filters with the norm folded in, as kept or made again. */
function foldedFilter(cuda: CudaBackend, weight: TensorInfo, norm: FoldedNorm): Filter {
  const { bias, normWeight, normBias, runningMean, runningVar, epsilon } = norm;
  const sources = [weight, bias, normWeight, normBias, runningMean, runningVar];
  const format = cuda.activationFormat, filters = weight.shape[0];
  const bytes = [
    sizeOf(weight.shape) * FORMAT_BYTES[format],
    filters * FORMAT_BYTES.float32,
    ...(format === "float32" ? [] : [filters * FORMAT_BYTES[format]]),
  ];
  const [folded, whole, packed = whole] = cuda.derived.keep(`folded ${epsilon}`, sources, {
    bytes,
    make: ([folded, whole, packed]) => {
      foldNorm(cuda, { weight, norm, to: [folded, whole] });
      if (!packed) return;
      const between = { from: whole, source: "float32", to: packed, target: format } as const;
      convertMemory(cuda, { ...between, size: filters });
    },
  });
  return { weight: folded.address, bias: { whole, packed: packed.address } };
}
