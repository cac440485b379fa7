import type { AugmentationSettings } from "./augment.ts";
import type { Pair, PairOptions } from "./ban_dataset.ts";
import { SAMPLE_PARTS, type SampleArrays, type SampleTimes } from "./sample_writer.ts";

/**
 * A training batch: images B, G, R, 0..255 and beyond, labels of a grid of `S * S` points.
 *
 * The arrays belong to the loader: they hold this batch until the next one is asked for.
 */
export interface Batch {
  /** Counted from 0. */
  readonly epoch: number;
  /** Within the epoch, from 0. */
  readonly step: number;
  /** Number of samples, B. */
  readonly size: number;
  /** `[B, 127, 127, 3]`. */
  readonly template: Pixels;
  /** `[B, 255, 255, 3]`. */
  readonly search: Pixels;
  /** `[B, S, S]`: 1 positive, 0 negative, -1 not used. */
  readonly labelCls: Int32Array;
  /** `[B, S, S, 4]`: left, top, right, bottom distances in search pixels. */
  readonly labelLoc: Float32Array;
  /** `[B, 4]`: the target `x1, y1, x2, y2` in search pixels. */
  readonly box: Float32Array;
  /** Where each sample comes from, `[B]`. */
  readonly provenance: readonly Pair[];
  /** How long the loader let its consumer wait for this batch. */
  readonly waitSeconds: number;
  /** What was met on the way, for a person to read. */
  readonly notices: readonly LoaderNotice[];
  /** What its samples took, summed over threads. */
  readonly work: SampleTimes;
}

/** Bytes, or floats where a colour may have been taken away from them. */
export type Pixels = Uint8Array | Float32Array;

/** Something that did not end the loading, but that somebody should know. */
export type LoaderNotice =
  /** A picture cannot be read, and another pair took its sample's place. */
  | { readonly kind: "skipped"; readonly path: string; readonly message: string }
  /** A worker died or stalled; another one does its samples again. */
  | { readonly kind: "replaced"; readonly message: string };

/** The numbers of a batch. */
export type BatchArrays = Pick<Batch, "template" | "search" | "labelCls" | "labelLoc" | "box">;

/** {@linkcode BatchArrays}, and what workers tell of each sample. */
export interface LoaderArrays extends BatchArrays {
  /** Substitutes drawn, `[B]`. */
  readonly substitutes: Int32Array;
  /** Milliseconds by {@linkcode SAMPLE_PARTS}, `[B, 4]`. */
  readonly times: Float32Array;
}

/** What decides how a batch lies in memory. */
type BatchShape = Pick<
  PairOptions,
  "exemplarSize" | "searchSize" | "scoreSize" | "template" | "search"
>;

/** An array of a batch: its type, and numbers by sample. */
interface Part {
  readonly type: {
    new (memory: SharedArrayBuffer, at: number, length: number): Pixels | Int32Array;
    readonly BYTES_PER_ELEMENT: number;
  };
  readonly length: number;
}

function layoutOf(
  { exemplarSize, searchSize, scoreSize, template, search }: BatchShape,
): Record<keyof LoaderArrays, Part> {
  const points = scoreSize ** 2;
  return {
    template: { type: pixelType(template), length: exemplarSize ** 2 * 3 },
    search: { type: pixelType(search), length: searchSize ** 2 * 3 },
    labelCls: { type: Int32Array, length: points },
    labelLoc: { type: Float32Array, length: points * 4 },
    box: { type: Float32Array, length: 4 },
    substitutes: { type: Int32Array, length: 1 },
    times: { type: Float32Array, length: SAMPLE_PARTS.length },
  };
}

/** Pictures that no colour is taken away from are bytes, blurred or not. */
function pixelType({ color }: Pick<AugmentationSettings, "color">) {
  return color > 0 ? Float32Array : Uint8Array;
}

/** Bytes of an array of a batch; the next one begins at a multiple of 4. */
function bytesOf({ type, length }: Part, size: number): number {
  return Math.ceil(type.BYTES_PER_ELEMENT * length * size / 4) * 4;
}

function bytesOfSlot(layout: Record<string, Part>, size: number): number {
  return Object.values(layout).reduce((sum, part) => sum + bytesOf(part, size), 0);
}

/** Memory of `slots` batches of `size` samples, shared between threads. */
export function createBatchMemory(
  shape: BatchShape,
  { size, slots }: { size: number; slots: number },
): SharedArrayBuffer {
  return new SharedArrayBuffer(bytesOfSlot(layoutOf(shape), size) * slots);
}

/** The arrays of one slot. */
export function batchArrays(
  memory: SharedArrayBuffer,
  shape: BatchShape,
  { size, slot }: { size: number; slot: number },
): LoaderArrays {
  const layout = layoutOf(shape);
  let offset = bytesOfSlot(layout, size) * slot;
  const arrays = Object.entries(layout).map(([name, part]) => {
    const array = new part.type(memory, offset, part.length * size);
    offset += bytesOf(part, size);
    return [name, array];
  });
  return Object.fromEntries(arrays) as LoaderArrays;
}

/** The place of one sample in a batch. */
export function sampleArrays(
  batch: BatchArrays,
  { size, index }: { size: number; index: number },
): SampleArrays {
  const part = <A extends Pixels | Int32Array>(array: A) => {
    const length = array.length / size;
    return array.subarray(index * length, (index + 1) * length) as A;
  };
  return {
    template: part(batch.template),
    search: part(batch.search),
    cls: part(batch.labelCls),
    loc: part(batch.labelLoc),
    box: part(batch.box),
  };
}

/** Notes what a sample took. */
export function noteTimes({ times }: LoaderArrays, place: number, taken: SampleTimes): void {
  SAMPLE_PARTS.forEach((part, i) => times[SAMPLE_PARTS.length * place + i] = taken[part]);
}

/** What the samples of a batch took together. */
export function totalTimes({ times }: LoaderArrays): SampleTimes {
  const total = { read: 0, decode: 0, augment: 0, label: 0 };
  times.forEach((taken, i) => total[SAMPLE_PARTS[i % SAMPLE_PARTS.length]] += taken);
  return total;
}
