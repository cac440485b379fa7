/**
 * Pairs and samples as a function of (seed, epoch, index): any worker, any rank, any resumed run
 * gets the same ones (`BANDataset` of siamban/datasets/dataset.py).
 *
 * @module
 */
import { augment, type AugmentationSettings } from "./augment.ts";
import type { Corner } from "../geometry/boxes.ts";
import { targetInCrop } from "../geometry/context.ts";
import { type PointGrid, pointGrid } from "../geometry/points.ts";
import { readImage } from "../image/decode.ts";
import { createPointLabels, type PointCounts, type PointLabels, pointTarget } from "./labels.ts";
import { Permutation } from "./permutation.ts";
import { Rng } from "../random.ts";
import {
  type Crop,
  SubDataset,
  type SubDatasetData,
  type SubDatasetOptions,
} from "./sub_dataset.ts";

/** How pairs are drawn and varied. */
export interface PairOptions {
  readonly template: AugmentationSettings;
  readonly search: AugmentationSettings;
  /** Probability that the search image shows another target (DaSiamRPN, arXiv:1808.06048). */
  readonly neg: number;
  /** Probability that a pair is gray. */
  readonly gray: number;
  /** Pairs of an epoch; 0 or less takes as many as the sets' `numUse` give. */
  readonly videosPerEpoch: number;
  readonly exemplarSize: number;
  readonly searchSize: number;
  /** Points a side of the response. */
  readonly scoreSize: number;
  /** Pixels between points. */
  readonly stride: number;
  readonly counts: PointCounts;
}

/** Which sample: the same numbers give the same sample. */
export interface SamplePosition {
  readonly seed: number;
  /** Counted from 0. */
  readonly epoch: number;
  /** Within the epoch, from 0. */
  readonly index: number;
}

/** Two frames to learn from, before their pixels are read. */
export interface Pair {
  readonly template: Crop;
  readonly search: Crop;
  /** Whether the search frame shows another target. */
  readonly negative: boolean;
  readonly gray: boolean;
}

/** A training sample; B, G, R, not clipped. */
export interface Sample extends PointLabels {
  /** `[127, 127, 3]`. */
  readonly template: Float32Array;
  /** `[255, 255, 3]`. */
  readonly search: Float32Array;
  /** The target `x1, y1, x2, y2` in the search image, of which it may reach out. */
  readonly box: Float32Array;
  /** Where it comes from. */
  readonly pair: Pair;
}

/** Where {@linkcode BANDataset.writeSample} puts the numbers of a sample. */
export type SampleArrays = Omit<Sample, "pair">;

/** What a worker needs to have the same dataset; plain data. */
export interface BANDatasetData {
  readonly options: PairOptions;
  readonly sets: readonly SubDatasetData[];
}

// First number of a random stream: what it decides. Epochs of samples count from 0.
const PICK_STREAM = -1;
const ORDER_STREAM = -2;
// Last number of a sample's streams: what they decide.
const PAIR_STREAM = 0;
const AUGMENTATION_STREAM = 1;

/** A picture of a sample cannot be read. */
export class SampleError extends Error {
  override readonly name = "SampleError";

  /**
   * @param message Names the sample, the picture and the reason.
   * @param path The picture.
   */
  constructor(message: string, readonly path: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Several prepared sets as one source of training samples. */
export class BANDataset {
  readonly options: PairOptions;
  readonly sets: readonly SubDataset[];
  readonly points: PointGrid;
  /** Pairs of an epoch. */
  readonly samplesPerEpoch: number;
  /** First pick of each set within a pass, then the picks of a pass. */
  readonly #starts: readonly number[];
  #order?: { seed: number; pass: number; permutation: Permutation };

  /** @throws {RangeError} If there is no set, or nothing is picked from them. */
  constructor({ options, sets }: BANDatasetData) {
    this.options = options;
    this.sets = sets.map((set) => new SubDataset(set));
    const starts = [0];
    for (const set of this.sets) starts.push(starts.at(-1)! + set.useCount);
    this.#starts = starts;
    const picks = starts.at(-1)!;
    if (picks === 0) {
      throw new RangeError("Cannot train on no pairs, name a dataset whose numUse is not 0");
    }
    const { videosPerEpoch, scoreSize: size, stride, searchSize } = options;
    this.samplesPerEpoch = videosPerEpoch > 0 ? videosPerEpoch : picks;
    this.points = pointGrid({ stride, size, center: Math.floor(searchSize / 2) });
  }

  /**
   * Reads the annotation files.
   *
   * @throws {Error} If one cannot be read.
   */
  static open(sets: readonly SubDatasetOptions[], options: PairOptions): BANDataset {
    return new BANDataset({ options, sets: sets.map((set) => SubDataset.open(set).data) });
  }

  get data(): BANDatasetData {
    return { options: this.options, sets: this.sets.map((set) => set.data) };
  }

  /**
   * The set and the video picked for a sample.
   *
   * The order has the reference's distribution: each set's picks are shuffles of its videos, cut to
   * `numUse` and kept for the whole run; a pass is a shuffle of all sets' picks; epochs cut the
   * passes where they end. Nothing is a list: each shuffle is a {@linkcode Permutation}.
   */
  pickAt({ seed, epoch, index }: SamplePosition): { set: SubDataset; video: number } {
    const position = epoch * this.samplesPerEpoch + index;
    const picks = this.#starts.at(-1)!;
    const pick = this.#orderOf(seed, Math.floor(position / picks)).at(position % picks);
    const number = this.#starts.findLastIndex((start) => start <= pick);
    const set = this.sets[number];
    const rng = new Rng(seed, PICK_STREAM, number);
    return { set, video: set.pickAt(pick - this.#starts[number], rng) };
  }

  /** Passes follow each other: only the latest is kept. */
  #orderOf(seed: number, pass: number): Permutation {
    if (this.#order?.seed !== seed || this.#order.pass !== pass) {
      const rng = new Rng(seed, ORDER_STREAM, pass);
      this.#order = { seed, pass, permutation: new Permutation(this.#starts.at(-1)!, rng) };
    }
    return this.#order.permutation;
  }

  /** The two frames of a sample; reads no picture. */
  pairAt(position: SamplePosition): Pair {
    const rng = streamOf(position, PAIR_STREAM);
    const { set, video } = this.pickAt(position);
    const gray = this.options.gray > rng.uniform();
    const negative = this.options.neg > rng.uniform();
    if (!negative) {
      const [template, search] = set.positivePair(video, rng);
      return { template, search, negative, gray };
    }
    const template = set.randomTarget(rng, video);
    const search = this.sets[rng.integer(this.sets.length)].randomTarget(rng);
    return { template, search, negative, gray };
  }

  /**
   * A whole sample.
   *
   * @throws {SampleError} If a picture cannot be read; names it.
   */
  async sampleAt(position: SamplePosition): Promise<Sample> {
    const arrays = {
      template: new Float32Array(this.options.exemplarSize ** 2 * 3),
      search: new Float32Array(this.options.searchSize ** 2 * 3),
      ...createPointLabels(this.points),
      box: new Float32Array(4),
    };
    return { ...arrays, pair: await this.writeSample(position, arrays) };
  }

  /**
   * Writes a sample where the caller wants it, such as a place in a batch.
   *
   * @throws {SampleError} If a picture cannot be read; names it.
   */
  async writeSample(position: SamplePosition, into: SampleArrays): Promise<Pair> {
    const { options } = this;
    const pair = this.pairAt(position);
    const draws = streamOf(position, AUGMENTATION_STREAM);
    const read = (crop: Crop) => readCrop(crop, position, options);
    const [template, search] = [await read(pair.template), await read(pair.search)];
    const templateLook = {
      size: options.exemplarSize,
      gray: pair.gray,
      settings: options.template,
    };
    const searchLook = { size: options.searchSize, gray: pair.gray, settings: options.search };
    into.template.set(augment(template.image, template.box, { ...templateLook, draws }).image.data);
    const varied = augment(search.image, search.box, { ...searchLook, draws });
    into.search.set(varied.image.data);
    const { x1, y1, x2, y2 } = varied.box;
    into.box.set([x1, y1, x2, y2]);
    const { points } = this;
    const labelling = { points, rng: draws, negativePair: pair.negative, counts: options.counts };
    pointTarget(varied.box, labelling, into);
    return pair;
  }
}

function streamOf({ seed, epoch, index }: SamplePosition, stream: number): Rng {
  return new Rng(seed, epoch, index, stream);
}

async function readCrop(
  { path, box }: Crop,
  position: SamplePosition,
  { exemplarSize }: PairOptions,
) {
  try {
    const image = await readImage(path);
    const target = { w: box.x2 - box.x1, h: box.y2 - box.y1 };
    const crop = { w: image.width, h: image.height };
    const inCrop: Corner = targetInCrop(crop, target, { exemplarSize });
    return { image, box: inCrop };
  } catch (cause) {
    const { seed, epoch, index } = position;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SampleError(
      `Cannot make sample ${index} of epoch ${epoch} (seed ${seed}) from "${path}": ${reason}, run "deno task prep-data" again`,
      path,
      { cause },
    );
  }
}
