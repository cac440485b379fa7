import { overrideCpu } from "./override_cpu.ts";

/** Only matrices with at most one axis in front; what else tfjs multiplies is small. */
export const batchMatMulOnednn = overrideCpu("BatchMatMul", (cpu, { inputs: { a, b }, attrs }) => {
  if (a.dtype !== "float32" || b.dtype !== "float32") return undefined;
  if (a.shape.length !== 3 || b.shape.length !== 3) return undefined;
  const transposeA = Boolean(attrs.transposeA), transposeB = Boolean(attrs.transposeB);
  const [rows, depth] = transposeA ? [a.shape[2], a.shape[1]] : [a.shape[1], a.shape[2]];
  const columns = transposeB ? b.shape[1] : b.shape[2];
  const batch = Math.max(a.shape[0], b.shape[0]);
  const c = cpu.empty([batch, rows, columns]);
  cpu.run("siamban_batch_matmul", { a, b, c }, {
    integers: [
      batch,
      rows,
      columns,
      depth,
      Number(transposeA),
      Number(transposeB),
      a.shape[0] === 1 ? 0 : rows * depth,
      b.shape[0] === 1 ? 0 : depth * columns,
    ],
  });
  return c;
});
