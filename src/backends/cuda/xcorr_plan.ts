/** How one correlation is cut into blocks; see `native/cuda/xcorr_depthwise.cu`. */
export interface XcorrPlan {
  /** Outputs of a thread. */
  readonly tile: Tile;
  /** Output rows of a block. */
  readonly band: number;
  /** Columns of `x` that are staged. */
  readonly columns: number;
  /** Rows of taps staged at a time. */
  readonly chunk: number;
  /** Thread groups that share the taps of a tile. */
  readonly splits: number;
  /** Bytes of shared memory. */
  readonly shared: number;
  readonly grid: readonly [slices: number, bands: number, images: number];
}

/** Rows and columns; the columns are odd, so that a warp's reads fall into different banks. */
type Tile = readonly [height: number, width: number];

/** Sizes of a correlation. */
export interface XcorrSizes {
  readonly batch: number;
  readonly channels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly outHeight: number;
  readonly outWidth: number;
  /** Bytes of an element. */
  readonly bytes: number;
}

/** Threads of a block. */
export const XCORR_THREADS = 128;
/** Bytes of a pixel that a block takes. */
const SLICE = 32;
/** Shared memory that every card gives to a block. */
const MOST_SHARED = 48 * 1024;
/** Most blocks along the second and third axis of a grid. */
const MOST_BLOCKS = 65535;

const TILES: readonly Tile[] = [[5, 5], [4, 7], [4, 3]];

/**
 * The plan with the least work, or nothing if no block can hold what it needs.
 *
 * @param multiprocessors Of the card: bands become smaller until each has a block.
 */
export function planXcorr(sizes: XcorrSizes, multiprocessors: number): XcorrPlan | undefined {
  if (sizes.batch > MOST_BLOCKS) return undefined;
  const plans = TILES.flatMap((tile) => {
    const plan = fit(sizes, tile, multiprocessors);
    return plan ? [plan] : [];
  });
  return plans.sort((a, b) => workOf(a, sizes) - workOf(b, sizes))[0];
}

/**
 * Time of all bands, in quarters of a cycle a warp: a multiprocessor issues four instructions a cycle, and reads
 * shared memory for one of them.
 */
function workOf(
  { tile: [height, width], band, splits, grid }: XcorrPlan,
  sizes: XcorrSizes,
): number {
  const tiles = band / height * Math.ceil(sizes.outWidth / width);
  const rounds = Math.ceil(tiles * splits / groupsOf(sizes));
  const taps = Math.ceil(sizes.kernelHeight / splits) * sizes.kernelWidth;
  const reads = height + 1;
  return grid[1] * rounds * taps * Math.max(height * width + reads, 4 * reads);
}

function fit(
  sizes: XcorrSizes,
  tile: Tile,
  multiprocessors: number,
): XcorrPlan | undefined {
  const { batch, channels, kernelHeight, outHeight, outWidth, bytes } = sizes;
  const [height, width] = tile;
  const down = Math.ceil(outHeight / height), across = Math.ceil(outWidth / width);
  const slices = Math.ceil(channels * bytes / SLICE);
  const bands = Math.min(down, Math.ceil(multiprocessors / (batch * slices)));
  const groups = groupsOf(sizes);
  const finish = (rows: number, chunk: number): XcorrPlan | undefined => {
    // An odd number: rows of tiles then start in different banks.
    const columns = (across * width + sizes.kernelWidth - 1) | 1;
    const tiles = rows * across;
    const splits = Math.max(1, Math.min(chunk, Math.floor(groups / tiles)));
    const staged = ((rows * height + chunk - 1) * columns + chunk * sizes.kernelWidth) * SLICE;
    const adds = splits > 1 || chunk < kernelHeight;
    const parts = adds ? tiles * splits * height * width * SLICE / bytes * 4 : 0;
    const shared = Math.max(staged, parts);
    const grid = [slices, Math.ceil(down / rows), batch] as const;
    if (shared > MOST_SHARED || grid[1] > MOST_BLOCKS) return undefined;
    return { tile, band: rows * height, columns, chunk, splits, shared, grid };
  };
  for (let rows = Math.ceil(down / bands); rows >= 1; rows--) {
    const plan = finish(rows, kernelHeight);
    if (plan) return plan;
  }
  // In chunks of taps: then each tile needs threads of its own.
  for (let rows = Math.min(down, Math.floor(groups / across)); rows >= 1; rows--) {
    for (let chunk = kernelHeight - 1; chunk >= 1; chunk = Math.floor(chunk / 2)) {
      const plan = finish(rows, chunk);
      if (plan) return plan;
    }
  }
  return undefined;
}

function groupsOf({ bytes }: XcorrSizes): number {
  return XCORR_THREADS / (SLICE / bytes);
}
