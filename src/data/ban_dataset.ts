/**
 * Pairs and samples as a function of (seed, epoch, index): any worker, any rank, any resumed run
 * gets the same ones (`BANDataset` of siamban/datasets/dataset.py).
 *
 * @module
 */
import type { AugmentationSettings } from "./augment.ts";
import type { PointCounts } from "./labels.ts";
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
  /** What happens when a picture cannot be read; `fail`. */
  readonly unreadable?: UnreadablePolicy;
}

/** `fail` ends the loading, `skip` draws another pair in the sample's place. */
export type UnreadablePolicy = "fail" | "skip";

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

/** What a worker needs to have the same dataset; plain data. */
export interface BANDatasetData {
  readonly options: PairOptions;
  readonly sets: readonly SubDatasetData[];
}

// First number of a random stream: what it decides. Epochs of samples count from 0.
const PICK_STREAM = -1;
const ORDER_STREAM = -2;
// Fourth number of a sample's streams: what they decide. The fifth counts substitutes from 1.
const PAIR_STREAM = 0;
const AUGMENTATION_STREAM = 1;

/** Several prepared sets as one source of training samples. */
export class BANDataset {
  readonly options: PairOptions;
  readonly sets: readonly SubDataset[];
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
    const { videosPerEpoch } = options;
    this.samplesPerEpoch = videosPerEpoch > 0 ? videosPerEpoch : picks;
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

  /**
   * The two frames of a sample; reads no picture.
   *
   * @param attempt 0, or the number of a substitute: another pair, from anywhere in the epoch.
   */
  pairAt(position: SamplePosition, attempt = 0): Pair {
    const rng = streamOf(position, PAIR_STREAM, attempt);
    const index = attempt === 0 ? position.index : rng.integer(this.samplesPerEpoch);
    const { set, video } = this.pickAt({ ...position, index });
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
}

/** The random numbers that vary a sample's pictures and choose its points. */
export function variationStream(position: SamplePosition, attempt = 0): Rng {
  return streamOf(position, AUGMENTATION_STREAM, attempt);
}

function streamOf({ seed, epoch, index }: SamplePosition, stream: number, attempt: number): Rng {
  const substitute = attempt === 0 ? [] : [attempt];
  return new Rng(seed, epoch, index, stream, ...substitute);
}
