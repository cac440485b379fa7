import type { TensorInfo } from "@tensorflow/tfjs";
import {
  Conv2d,
  Conv2dBackwardInput,
  Conv2dBackwardWeight,
  convOutputShape,
} from "../../../ops/conv2d.ts";
import { type CudaBackend, sizeOf } from "../backend.ts";
import type { ConvOperands, ConvProblem } from "../conv_problem.ts";
import type { DeviceBlock } from "../memory_pool.ts";
import { FORMAT_BYTES } from "../storage.ts";
import { convert, convertMemory, convertTo, inFormat } from "../conversion.ts";
import { queuePlainConvolution } from "./conv2d_plain.ts";
import { finishConvolution } from "./finish_convolution.ts";

/** Results with fewer channels than a tensor core takes are what losses read: they stay float32. */
const FEWEST_PACKED = 8;

export const conv2dCuda = Conv2d.kernel(
  "cuda",
  (cuda: CudaBackend, { x, weight, bias }, geometry) => {
    const format = cuda.activationFormat;
    const y = inFormat(cuda, format, {
      tensors: { x },
      run: ({ x }) => {
        const y = cuda.empty(convOutputShape(x.shape, weight.shape, geometry), "float32", format);
        queueConvolution(cuda, {
          problem: {
            pass: "forward",
            x: x.shape,
            weight: weight.shape,
            y: y.shape,
            geometry,
            format,
          },
          operands: {
            first: cuda.address(x),
            second: filterAddress(cuda, weight),
            output: cuda.address(y),
          },
        });
        return y;
      },
    });
    if (bias) finishConvolution(cuda, { y, bias, residual: undefined, activation: "none" });
    return widened(cuda, y);
  },
);

export const conv2dBackwardInputCuda = Conv2dBackwardInput.kernel(
  "cuda",
  (cuda: CudaBackend, { dy, weight }, { height, width, ...geometry }) => {
    const format = cuda.activationFormat;
    return inFormat(cuda, format, {
      tensors: { dy },
      run: ({ dy }) => {
        const shape = [dy.shape[0], height, width, weight.shape[3] * geometry.groups];
        const dx = cuda.empty(shape, "float32", format);
        queueConvolution(cuda, {
          problem: {
            pass: "backwardInput",
            x: dx.shape,
            weight: weight.shape,
            y: dy.shape,
            geometry,
            format,
          },
          operands: {
            first: filterAddress(cuda, weight),
            second: cuda.address(dy),
            output: cuda.address(dx),
          },
        });
        return dx;
      },
    });
  },
);

export const conv2dBackwardWeightCuda = Conv2dBackwardWeight.kernel(
  "cuda",
  (cuda: CudaBackend, { dy, x }, { kernelHeight, kernelWidth, ...geometry }) => {
    const format = cuda.activationFormat;
    const shape = [dy.shape[3], kernelHeight, kernelWidth, x.shape[3] / geometry.groups];
    const dweight = inFormat(cuda, format, {
      tensors: { dy, x },
      run: ({ dy, x }) => {
        const dweight = cuda.empty(shape, "float32", format);
        queueConvolution(cuda, {
          problem: {
            pass: "backwardWeight",
            x: x.shape,
            weight: shape,
            y: dy.shape,
            geometry,
            format,
          },
          operands: {
            first: cuda.address(x),
            second: cuda.address(dy),
            output: cuda.address(dweight),
          },
        });
        return dweight;
      },
    });
    // Updates are in float32.
    return asFloat(cuda, dweight);
  },
);

/** Queues a pass, by cuDNN where it can; a fault names its shapes. */
export function queueConvolution(
  cuda: CudaBackend,
  { problem, operands }: { readonly problem: ConvProblem; readonly operands: ConvOperands },
): void {
  cuda.guard(
    () => {
      if (cuda.convolutions.run(problem, operands)) return;
      if (problem.format === "bfloat16" && queueWidened(cuda, problem, operands)) return;
      queuePlainConvolution(cuda, problem, operands);
    },
    () => describeProblem(problem),
  );
}

/**
 * Queues a bfloat16 pass as one of float32 between conversions, for shapes of which cuDNN knows only that.
 *
 * @returns Whether cuDNN knows it.
 */
export function queueWidened(
  cuda: CudaBackend,
  problem: ConvProblem,
  operands: ConvOperands,
): boolean {
  const { pass, x, weight, y } = problem;
  const sizes = {
    first: sizeOf(pass === "backwardInput" ? weight : x),
    second: sizeOf(pass === "forward" ? weight : y),
    output: sizeOf(pass === "forward" ? y : pass === "backwardInput" ? x : weight),
  };
  const wide = Object.values(sizes).map((size) => cuda.scratch(FORMAT_BYTES.float32 * size));
  const [first, second, output] = wide;
  const widen = (from: bigint, to: DeviceBlock, size: number) =>
    convertMemory(cuda, {
      from: { address: from },
      source: "bfloat16",
      to,
      target: "float32",
      size,
    });
  widen(operands.first, first, sizes.first);
  widen(operands.second, second, sizes.second);
  const done = cuda.convolutions.run({ ...problem, format: "float32" }, {
    first: first.address,
    second: second.address,
    output: output.address,
  });
  if (done) {
    convertMemory(cuda, {
      from: output,
      source: "float32",
      to: { address: operands.output },
      target: "bfloat16",
      size: sizes.output,
    });
  }
  for (const block of wide) cuda.release(block);
  return done;
}

/** A convolution in words. */
export function describeProblem({ pass, x, weight, y, geometry, format }: ConvProblem): string {
  const { stride, padding, dilation, groups } = geometry;
  return `a convolution (${pass}, ${format}) of x [${x}], weight [${weight}], y [${y}], stride ` +
    `${stride}, padding ${padding}, dilation ${dilation}, groups ${groups}`;
}

/** Address of the filters in the format of activations; master weights are float32. */
export function filterAddress(cuda: CudaBackend, weight: TensorInfo): bigint {
  const format = cuda.activationFormat;
  if (cuda.format(weight) === format) return cuda.address(weight);
  const bytes = [sizeOf(weight.shape) * FORMAT_BYTES[format]];
  const make = ([block]: readonly DeviceBlock[]) => convertTo(cuda, weight, { block, format });
  return cuda.derived.keep(format, [weight], { bytes, make })[0].address;
}

/** The same tensor, or instead of it one in float32 where its channels are few. */
export function widened(cuda: CudaBackend, y: TensorInfo): TensorInfo {
  return y.shape[3] < FEWEST_PACKED ? asFloat(cuda, y) : y;
}

/** The same tensor, or instead of it one in float32. */
function asFloat(cuda: CudaBackend, tensor: TensorInfo): TensorInfo {
  if (cuda.format(tensor) === "float32") return tensor;
  const wide = convert(cuda, tensor, { format: "float32" });
  cuda.disposeData(tensor.dataId);
  return wide;
}
