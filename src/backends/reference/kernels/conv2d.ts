import {
  ChannelSum,
  Conv2d,
  Conv2dBackwardInput,
  Conv2dBackwardWeight,
} from "../../../ops/conv2d.ts";
import type { ReferenceBackend } from "../backend.ts";
import { depthwiseBackwardFilter, depthwiseBackwardInput, depthwiseForward } from "./depthwise.ts";
import { addProducts, paddedRows, transposeInto } from "./matmul.ts";
import { type ConvPlan, gatherPatches, planConvolution, scatterPatches } from "./patches.ts";

/** Convolution as matrix products over patches; see `patches.ts`. */
export const conv2dReference = Conv2d.kernel(
  "reference",
  (backend: ReferenceBackend, { x, weight, bias }, geometry) => {
    const plan = planConvolution(x.shape, weight.shape, geometry);
    const y = backend.empty(plan.outShape);
    convolve(backend.floats(y), {
      x: backend.floats(x),
      weight: backend.floats(weight),
      bias: bias && backend.floats(bias),
    }, plan);
    return y;
  },
);

export const conv2dBackwardInputReference = Conv2dBackwardInput.kernel(
  "reference",
  (backend: ReferenceBackend, { dy, weight }, { height, width, ...geometry }) => {
    const channels = weight.shape[3] * geometry.groups;
    const shape = [dy.shape[0], height, width, channels];
    const plan = planConvolution(shape, weight.shape, geometry);
    const dx = backend.empty(shape);
    backend.floats(dx).fill(0);
    const pass = isDepthwise(plan) ? addInputGradientDepthwise : addInputGradient;
    pass(backend.floats(dx), backend.floats(dy), backend.floats(weight), plan);
    return dx;
  },
);

export const conv2dBackwardWeightReference = Conv2dBackwardWeight.kernel(
  "reference",
  (backend: ReferenceBackend, { dy, x }, { kernelHeight, kernelWidth, ...geometry }) => {
    const shape = [dy.shape[3], kernelHeight, kernelWidth, x.shape[3] / geometry.groups];
    const plan = planConvolution(x.shape, shape, geometry);
    const dweight = backend.empty(shape);
    const pass = isDepthwise(plan) ? weightGradientDepthwise : weightGradient;
    pass(backend.floats(dweight), backend.floats(dy), backend.floats(x), plan);
    return dweight;
  },
);

export const channelSumReference = ChannelSum.kernel(
  "reference",
  (backend: ReferenceBackend, { x }) => {
    const values = backend.floats(x);
    const channels = x.shape[3];
    const sums = new Float64Array(channels);
    for (let at = 0; at < values.length; at += channels) {
      for (let c = 0; c < channels; c++) sums[c] += values[at + c];
    }
    const out = backend.empty([channels]);
    backend.floats(out).set(sums);
    return out;
  },
);

/** The forward pass on plain arrays: `y` `[B, Ho, Wo, O]`. */
export function convolve(
  y: Float32Array,
  { x, weight, bias }: {
    readonly x: Float32Array;
    readonly weight: Float32Array | Float64Array;
    readonly bias?: Float32Array | Float64Array;
  },
  plan: ConvPlan,
): void {
  if (isDepthwise(plan)) {
    return depthwiseForward(y, x, tapsFirst(weight, plan), plan, bias);
  }
  const { filters, groupFilters, depth } = plan;
  const columns = paddedRows(groupFilters);
  const chunk = chunkRows(depth);
  const patches = new Float64Array(chunk * depth);
  const products = new Float64Array(chunk * columns);
  for (let group = 0; group < plan.groups; group++) {
    const factor = new Float64Array(columns * depth);
    factor.set(groupOf(weight, group, plan));
    for (const range of ranges(plan, group, chunk)) {
      gatherPatches(patches, x, plan, range);
      products.fill(0);
      addProducts(products, patches, factor, { rows: paddedRows(range.count), columns, depth });
      for (let row = 0; row < range.count; row++) {
        const from = row * columns;
        const to = (range.first + row) * filters + group * groupFilters;
        for (let o = 0; o < groupFilters; o++) y[to + o] = products[from + o];
      }
    }
  }
  if (bias) addToChannels(y, bias);
}

function addToChannels(y: Float32Array, bias: ArrayLike<number>): void {
  for (let at = 0; at < y.length; at += bias.length) {
    for (let c = 0; c < bias.length; c++) y[at + c] += bias[c];
  }
}

/** Patches' gradients are dy · weight; overlapping patches add up. */
function addInputGradient(
  dx: Float32Array,
  dy: Float32Array,
  weight: Float32Array,
  plan: ConvPlan,
): void {
  const { groupFilters, depth } = plan;
  const columns = paddedRows(depth);
  const chunk = chunkRows(Math.max(depth, groupFilters));
  const factor = new Float64Array(columns * groupFilters);
  const rowsOfDy = new Float64Array(chunk * groupFilters);
  const products = new Float64Array(chunk * columns);
  for (let group = 0; group < plan.groups; group++) {
    transposeInto(factor, groupOf(weight, group, plan), { rows: groupFilters, columns: depth });
    for (const range of ranges(plan, group, chunk)) {
      gatherOutput(rowsOfDy, dy, plan, range);
      products.fill(0);
      const rows = paddedRows(range.count);
      addProducts(products, rowsOfDy, factor, { rows, columns, depth: groupFilters });
      scatterPatches(dx, products, plan, { ...range, rowLength: columns });
    }
  }
}

/** dweight = dyᵀ · patches, summed over chunks of positions. */
function weightGradient(
  dweight: Float32Array,
  dy: Float32Array,
  x: Float32Array,
  plan: ConvPlan,
): void {
  const { groupFilters, depth } = plan;
  const rows = paddedRows(groupFilters);
  const columns = paddedRows(depth);
  const chunk = chunkRows(depth);
  const gathered = new Float64Array(chunk * Math.max(depth, groupFilters));
  const outputs = new Float64Array(rows * chunk);
  const patches = new Float64Array(columns * chunk);
  const sums = new Float64Array(rows * columns);
  for (let group = 0; group < plan.groups; group++) {
    sums.fill(0);
    for (const range of ranges(plan, group, chunk)) {
      gatherOutput(gathered, dy, plan, range);
      transposeInto(outputs, gathered, { rows: range.count, columns: groupFilters });
      gatherPatches(gathered, x, plan, range);
      transposeInto(patches, gathered, { rows: range.count, columns: depth });
      addProducts(sums, outputs, patches, { rows, columns, depth: range.count });
    }
    const first = group * groupFilters * depth;
    for (let o = 0; o < groupFilters; o++) {
      const row = sums.subarray(o * columns, o * columns + depth);
      dweight.set(row, first + o * depth);
    }
  }
}

function addInputGradientDepthwise(
  dx: Float32Array,
  dy: Float32Array,
  weight: Float32Array,
  plan: ConvPlan,
): void {
  depthwiseBackwardInput(dx, dy, tapsFirst(weight, plan), plan);
}

function weightGradientDepthwise(
  dweight: Float32Array,
  dy: Float32Array,
  x: Float32Array,
  plan: ConvPlan,
): void {
  const { taps, channels } = plan;
  const dfilter = new Float64Array(taps * channels);
  depthwiseBackwardFilter(dfilter, dy, x, plan);
  const sums = new Float64Array(taps * channels);
  transposeInto(sums, dfilter, { rows: taps, columns: channels });
  dweight.set(sums);
}

function isDepthwise({ groups, channels, filters }: ConvPlan): boolean {
  return groups > 1 && groups === channels && groups === filters;
}

/** Depthwise filters `[C, taps]` as `[taps, C]`. */
function tapsFirst(weight: ArrayLike<number>, { taps, channels }: ConvPlan): Float64Array {
  const filter = new Float64Array(taps * channels);
  transposeInto(filter, weight, { rows: channels, columns: taps });
  return filter;
}

/** The filters of one group, `[O / groups, depth]`. */
function groupOf<T extends Float32Array | Float64Array>(
  weight: T,
  group: number,
  { groupFilters, depth }: ConvPlan,
): T {
  const size = groupFilters * depth;
  return weight.subarray(group * size, (group + 1) * size) as T;
}

/** Rows that are worked on at once: about 1 MB of doubles, so that they stay in the cache. */
function chunkRows(depth: number): number {
  return paddedRows(Math.min(256, Math.ceil(2 ** 17 / depth)));
}

function* ranges({ batch, positions }: ConvPlan, group: number, chunk: number) {
  const total = batch * positions;
  for (let first = 0; first < total; first += chunk) {
    yield { group, first, count: Math.min(chunk, total - first) };
  }
}

/** Copies one group's channels of an output-shaped tensor to rows, `[count, O / groups]`. */
function gatherOutput(
  rows: Float64Array,
  dy: Float32Array,
  { filters, groupFilters }: ConvPlan,
  { group, first, count }: {
    readonly group: number;
    readonly first: number;
    readonly count: number;
  },
): void {
  for (let row = 0; row < count; row++) {
    const from = (first + row) * filters + group * groupFilters;
    const to = row * groupFilters;
    for (let o = 0; o < groupFilters; o++) rows[to + o] = dy[from + o];
  }
}
