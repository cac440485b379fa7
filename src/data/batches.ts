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
  readonly template: Float32Array;
  /** `[B, 255, 255, 3]`. */
  readonly search: Float32Array;
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

/** Numbers of a batch, by sample. */
type BatchShape = Pick<PairOptions, "exemplarSize" | "searchSize" | "scoreSize">;

function lengthsOf({ exemplarSize, searchSize, scoreSize }: BatchShape) {
  const points = scoreSize ** 2;
  return {
    template: exemplarSize ** 2 * 3,
    search: searchSize ** 2 * 3,
    labelCls: points,
    labelLoc: points * 4,
    box: 4,
    substitutes: 1,
    times: SAMPLE_PARTS.length,
  };
}

/** Memory of `slots` batches of `size` samples, shared between threads. */
export function createBatchMemory(
  shape: BatchShape,
  { size, slots }: { size: number; slots: number },
): SharedArrayBuffer {
  const perSample = Object.values(lengthsOf(shape)).reduce((sum, length) => sum + length);
  return new SharedArrayBuffer(4 * perSample * size * slots);
}

/** The arrays of one slot. */
export function batchArrays(
  memory: SharedArrayBuffer,
  shape: BatchShape,
  { size, slot }: { size: number; slot: number },
): LoaderArrays {
  const lengths = lengthsOf(shape);
  const perSample = Object.values(lengths).reduce((sum, length) => sum + length);
  let offset = 4 * perSample * size * slot;
  const next = <A>(
    type: new (memory: SharedArrayBuffer, at: number, length: number) => A,
    length: number,
  ) => {
    const array = new type(memory, offset, length * size);
    offset += 4 * length * size;
    return array;
  };
  return {
    template: next(Float32Array, lengths.template),
    search: next(Float32Array, lengths.search),
    labelCls: next(Int32Array, lengths.labelCls),
    labelLoc: next(Float32Array, lengths.labelLoc),
    box: next(Float32Array, lengths.box),
    substitutes: next(Int32Array, lengths.substitutes),
    times: next(Float32Array, lengths.times),
  };
}

/** The place of one sample in a batch. */
export function sampleArrays(
  batch: BatchArrays,
  { size, index }: { size: number; index: number },
): SampleArrays {
  const part = <A extends Float32Array | Int32Array>(array: A) => {
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
