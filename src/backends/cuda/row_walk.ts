import rows from "../../../native/cuda/rows.cuh" with { type: "text" };
import type { Extent } from "./bindings/driver.ts";
import type { CudaBackend } from "./backend.ts";

/** The header of kernels that walk over a map by channel. */
export const ROW_HEADERS = { "rows.cuh": rows } as const;

/** Threads of a block, `kRowThreads` of `native/cuda/rows.cuh`. */
const THREADS = 256;
/** Neighbouring channels that a thread takes where their number allows it. */
const VECTOR = 4;
/** Rows that a thread should have at least, so that its start costs little. */
const FEWEST_ROWS = 8;

/** How a map `[rows, channels]` is spread over blocks. */
export interface RowWalk {
  /** Ending of the function's name: four channels a thread, or one. */
  readonly ending: "vector" | "scalar";
  readonly grid: Extent;
  readonly block: Extent;
  /** Blocks that share the rows of a channel: a reduction leaves as many parts. */
  readonly splits: number;
}

/**
 * Spreads a map over blocks of `columns` x `rows` threads (see `native/cuda/rows.cuh`), some for each
 * multiprocessor.
 *
 * @param options `vector`: whether there is a function for four channels at a time.
 */
export function walkRows(
  cuda: CudaBackend,
  [rows, channels]: readonly [rows: number, channels: number],
  { vector = true }: { readonly vector?: boolean } = {},
): RowWalk {
  const wide = vector && channels % VECTOR === 0;
  const columns = wide ? channels / VECTOR : channels;
  const across = Math.min(32, 2 ** Math.ceil(Math.log2(columns)));
  const down = THREADS / across;
  const blocksAcross = Math.ceil(columns / across);
  const wanted = Math.ceil(8 * cuda.properties.multiprocessors / blocksAcross);
  const splits = Math.max(1, Math.min(wanted, Math.ceil(rows / (down * FEWEST_ROWS)), 65535));
  return {
    ending: wide ? "vector" : "scalar",
    grid: [blocksAcross, splits, 1],
    block: [across, down, 1],
    splits,
  };
}

/** The same for adding up the parts that a reduction left: one block a column. */
export function walkParts(
  cuda: CudaBackend,
  splits: number,
  channels: number,
): Pick<RowWalk, "grid" | "block"> {
  const { grid: [across], block } = walkRows(cuda, [splits, channels], { vector: false });
  return { grid: [across, 1, 1], block };
}

/** `[B, H, W, C]`, or any shape with channels last, as `[rows, C]`. */
export function rowsOf(shape: readonly number[]): [rows: number, channels: number] {
  const channels = shape[shape.length - 1];
  return [shape.slice(0, -1).reduce((product, size) => product * size, 1), channels];
}
