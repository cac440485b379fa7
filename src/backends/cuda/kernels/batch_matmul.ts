import * as tf from "@tensorflow/tfjs";
import source from "../../../../native/cuda/batch_matmul.cu" with { type: "text" };
import { sizeOf } from "../backend.ts";
import { CudaProgram } from "../program.ts";
import { inFormat } from "../conversion.ts";
import { overrideTfjs } from "./override_tfjs.ts";

const program = new CudaProgram("batch_matmul", source);

/** Side of a block's results, `kTile` of `native/cuda/batch_matmul.cu`, and its rows of threads. */
const TILE = 32, ROWS = 8;

/** Matrices whose axes in front are equal, or of one matrix on one side. */
export const batchMatMulCuda = overrideTfjs("BatchMatMul", (cuda, { inputs: { a, b }, attrs }) => {
  if (a.dtype !== "float32" || b.dtype !== "float32") return undefined;
  const front = [a, b].map(({ shape }) => shape.slice(0, -2));
  const [imagesA, imagesB] = front.map(sizeOf);
  const alike = tf.util.arraysEqual(front[0], front[1]);
  if (!alike && imagesA !== 1 && imagesB !== 1) return undefined;
  const transposeA = Boolean(attrs.transposeA), transposeB = Boolean(attrs.transposeB);
  const [rows, depth] = transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2);
  const columns = b.shape.at(transposeB ? -2 : -1)!;
  const batch = Math.max(imagesA, imagesB);
  const outer = tf.backend_util.assertAndGetBroadcastShape(front[0], front[1]);
  const c = cuda.emptyLike(a, [...outer, rows, columns]);
  inFormat(cuda, cuda.format(a), {
    tensors: { b },
    run: ({ b }) =>
      cuda.launch(program, {
        function: "batch_matmul",
        grid: [Math.ceil(columns / TILE), Math.ceil(rows / TILE), batch],
        block: [TILE, ROWS, 1],
        args: [
          a,
          b,
          c,
          rows,
          columns,
          depth,
          imagesA === 1 ? 0 : rows * depth,
          imagesB === 1 ? 0 : depth * columns,
          Number(transposeA),
          Number(transposeB),
        ],
      }),
  });
  return c;
});
