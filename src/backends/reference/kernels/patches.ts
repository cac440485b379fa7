import { type ConvGeometry, convOutputShape } from "../../../ops/conv2d.ts";
import { tapPixels } from "./windows.ts";

/** Sizes of one convolution call, shared by its forward and backward passes. */
export interface ConvPlan {
  readonly batch: number;
  readonly outShape: readonly [number, number, number, number];
  /** Pixels of one input image, H · W. */
  readonly pixels: number;
  /** Pixels of one output image, Ho · Wo. */
  readonly positions: number;
  readonly channels: number;
  readonly filters: number;
  readonly groups: number;
  readonly groupChannels: number;
  readonly groupFilters: number;
  /** kh · kw. */
  readonly taps: number;
  /** Length of a patch and of a filter, kh · kw · C / groups. */
  readonly depth: number;
  /** See {@linkcode tapPixels}. */
  readonly tapPixels: Int32Array;
}

/** Works out a convolution of `x` `[B, H, W, C]` with `weight` `[O, kh, kw, C / groups]`. */
export function planConvolution(
  x: readonly number[],
  weight: readonly number[],
  geometry: ConvGeometry,
): ConvPlan {
  const [batch, height, width, channels] = x;
  const [filters, kernelHeight, kernelWidth, groupChannels] = weight;
  const outShape = convOutputShape(x, weight, geometry);
  const [, outHeight, outWidth] = outShape;
  const window = { height, width, kernelHeight, kernelWidth, outHeight, outWidth };
  return {
    batch,
    outShape,
    pixels: height * width,
    positions: outHeight * outWidth,
    channels,
    filters,
    groups: geometry.groups,
    groupChannels,
    groupFilters: filters / geometry.groups,
    taps: kernelHeight * kernelWidth,
    depth: kernelHeight * kernelWidth * groupChannels,
    tapPixels: tapPixels({ ...window, ...geometry }),
  };
}

/** A run of output positions, counted through the whole batch, in one channel group. */
export interface PatchRange {
  readonly group: number;
  readonly first: number;
  readonly count: number;
}

/** Copies the input under each output position to a row of `patches`, `[count, depth]`. */
export function gatherPatches(
  patches: Float64Array,
  x: Float32Array,
  plan: ConvPlan,
  { group, first, count }: PatchRange,
): void {
  const { positions, pixels, channels, groupChannels, taps, tapPixels } = plan;
  let to = 0;
  for (let row = first; row < first + count; row++) {
    const image = Math.floor(row / positions);
    const base = image * pixels * channels + group * groupChannels;
    const tap0 = (row - image * positions) * taps;
    for (let tap = tap0; tap < tap0 + taps; tap++) {
      const pixel = tapPixels[tap];
      const from = base + pixel * channels;
      if (pixel < 0) { for (let c = 0; c < groupChannels; c++) patches[to + c] = 0; }
      else for (let c = 0; c < groupChannels; c++) patches[to + c] = x[from + c];
      to += groupChannels;
    }
  }
}

/** Adds rows of `patches`, `rowLength` apart, to the input under each output position. */
export function scatterPatches(
  x: Float32Array,
  patches: Float64Array,
  plan: ConvPlan,
  { group, first, count, rowLength }: PatchRange & { readonly rowLength: number },
): void {
  const { positions, pixels, channels, groupChannels, taps, tapPixels } = plan;
  for (let row = 0; row < count; row++) {
    const image = Math.floor((first + row) / positions);
    const base = image * pixels * channels + group * groupChannels;
    const tap0 = (first + row - image * positions) * taps;
    for (let tap = 0; tap < taps; tap++) {
      const pixel = tapPixels[tap0 + tap];
      if (pixel < 0) continue;
      const to = base + pixel * channels;
      const from = row * rowLength + tap * groupChannels;
      for (let c = 0; c < groupChannels; c++) x[to + c] += patches[from + c];
    }
  }
}
