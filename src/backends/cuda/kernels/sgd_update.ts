import type { TensorInfo } from "@tensorflow/tfjs";
import source from "../../../../native/cuda/sgd_update.cu" with { type: "text" };
import { SgdUpdate } from "../../../ops/sgd_update.ts";
import { type CudaBackend, float, sizeOf } from "../backend.ts";
import { CudaProgram } from "../program.ts";
import { inFormat } from "../conversion.ts";

const program = new CudaProgram("sgd_update", source);

/** Elements of a block, `kChunk` of `native/cuda/sgd_update.cu`. */
const CHUNK = 2 ** 15;

export const sgdUpdateCuda = SgdUpdate.kernel(
  "cuda",
  (cuda: CudaBackend, inputs, { count, learningRates, ...options }) => {
    const named = (kind: string) =>
      Array.from({ length: count }, (_, i) => inputs[`${kind}${i}`] as TensorInfo);
    const parameters = named("param"), velocities = named("velocity");
    const report = cuda.empty([3]);
    inFormat(cuda, "float32", {
      tensors: Object.fromEntries(named("grad").map((gradient, i) => [i, gradient])),
      run: (gradients: Record<string, TensorInfo>) => {
        const entries = parameters.map((parameter, i) => [parameter, gradients[i]!, velocities[i]]);
        step(cuda, { entries, learningRates, loss: inputs.loss, report, ...options });
      },
    });
    // Whether anything changed is known only on the device.
    for (const tensor of [...parameters, ...velocities]) cuda.touch(tensor);
    return report;
  },
);

interface Step {
  /** Parameter, gradient and velocity each. */
  readonly entries: readonly (readonly TensorInfo[])[];
  readonly learningRates: Float32Array;
  readonly loss: TensorInfo;
  readonly report: TensorInfo;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly clipNorm: number;
  readonly maxLoss: number;
}

function step(cuda: CudaBackend, { entries, learningRates, loss, report, ...options }: Step): void {
  const numbers = chunkTable(entries);
  const blocks = numbers.length / 2;
  const table = cuda.live(addressTable(cuda, entries));
  const chunks = cuda.live(numbers);
  const rates = cuda.live(learningRates as Float32Array<ArrayBuffer>);
  const squares = cuda.scratch(8 * Math.max(blocks, 1), "optimiser");
  const grid = [blocks, 1, 1] as const;
  const types = { Element: "float32" } as const;
  const { clipNorm, maxLoss, momentum, weightDecay } = options;
  cuda.launch(program, { function: "sgd_squares", grid, types, args: [table, chunks, squares] });
  cuda.launch(program, {
    function: "sgd_decide",
    grid: [1, 1, 1],
    block: 1024,
    types,
    args: [squares, loss, report, blocks, float(clipNorm), float(maxLoss)],
  });
  cuda.launch(program, {
    function: "sgd_apply",
    grid,
    types,
    args: [table, chunks, rates, report, float(momentum), float(weightDecay)],
  });
  for (const block of [table, chunks, rates, squares]) cuda.release(block);
}

/** `Entry` of `native/cuda/sgd_update.cu`: three addresses and a size each. */
function addressTable(
  cuda: CudaBackend,
  entries: readonly (readonly TensorInfo[])[],
): BigUint64Array<ArrayBuffer> {
  const table = new BigUint64Array(4 * entries.length);
  entries.forEach((tensors, i) => {
    tensors.forEach((tensor, k) => table[4 * i + k] = cuda.address(tensor));
    table[4 * i + 3] = BigInt(sizeOf(tensors[0].shape));
  });
  return table;
}

/** `Chunk`: the entry, and which part of it. */
function chunkTable(entries: readonly (readonly TensorInfo[])[]): Int32Array<ArrayBuffer> {
  const chunks: number[] = [];
  entries.forEach(([parameter], i) => {
    const size = sizeOf(parameter.shape);
    for (let part = 0; part * CHUNK < size; part++) chunks.push(i, part);
  });
  return Int32Array.from(chunks);
}
