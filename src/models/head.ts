/** The box-adaptive heads: template and search features to classification and box distances. */
import * as tf from "@tensorflow/tfjs";
import type { Rank, Tensor4D } from "@tensorflow/tfjs";
import {
  BatchNorm2d,
  Conv2d,
  initUniform,
  type Layer,
  Module,
  Parameter,
  ReLU,
  sequential,
} from "../nn/mod.ts";
import { fuseLevels, xcorrDepthwise, xcorrFast } from "../ops/mod.ts";
import type { Rng } from "../random.ts";
import type { Features } from "./backbone/mod.ts";

/** What a head says about each point of the score map. */
export type Prediction = {
  /** Raw scores, `[B, S, S, 2]`: background, target. */
  readonly cls: Tensor4D;
  /** Distances to left, top, right, bottom in search pixels, `[B, S, S, 4]`. */
  readonly loc: Tensor4D;
};

/** From template and search features to a {@linkcode Prediction}. */
export abstract class Head extends Module {
  /**
   * The template's side of the head, which is the same for every frame.
   *
   * @param zf Template features, one map a level.
   * @returns Maps for {@linkcode compare}; the caller disposes of them.
   */
  abstract embed(zf: Features): Features;

  /**
   * Finds an embedded template.
   *
   * @param template What {@linkcode embed} returned.
   * @param xf Search features, one map a level.
   */
  abstract compare(template: Features, xf: Features): Prediction;

  /** Draws starting weights. */
  initialise(rng: Rng): void {
    initUniform(this, rng);
  }

  /** Both at once, on template features `zf` and search features `xf`. */
  forward(zf: Features, xf: Features): Prediction {
    return tf.tidy(() => this.compare(this.embed(zf), xf));
  }
}

/** Distances: left, top, right, bottom. */
const LOC_CHANNELS = 4;

/** Options of {@linkcode UPChannelBAN}. */
export interface UPChannelOptions {
  readonly featureIn?: number;
  readonly clsOutChannels?: number;
}

/** The template makes whole filters, one bank an output channel (SiamRPN; siamban/models/head/ban.py). */
export class UPChannelBAN extends Head {
  readonly templateClsConv: Conv2d;
  readonly templateLocConv: Conv2d;
  readonly searchClsConv: Conv2d;
  readonly searchLocConv: Conv2d;
  readonly locAdjust: Conv2d;

  constructor({ featureIn = 256, clsOutChannels = 2 }: UPChannelOptions = {}) {
    super();
    this.templateClsConv = new Conv2d(featureIn, featureIn * clsOutChannels, { kernel: 3 });
    this.templateLocConv = new Conv2d(featureIn, featureIn * LOC_CHANNELS, { kernel: 3 });
    this.searchClsConv = new Conv2d(featureIn, featureIn, { kernel: 3 });
    this.searchLocConv = new Conv2d(featureIn, featureIn, { kernel: 3 });
    this.locAdjust = new Conv2d(LOC_CHANNELS, LOC_CHANNELS, { kernel: 1 });
  }

  override embed([zf]: Features): Features {
    return [this.templateClsConv.forward(zf), this.templateLocConv.forward(zf)];
  }

  // Parity: the heads of one level give distances as they are, only MultiBAN takes the exponential.
  override compare([clsTemplate, locTemplate]: Features, [xf]: Features): Prediction {
    return tf.tidy(() => {
      const clsResponse = xcorrFast(this.searchClsConv.forward(xf), clsTemplate);
      const locResponse = xcorrFast(this.searchLocConv.forward(xf), locTemplate);
      return { cls: clsResponse, loc: this.locAdjust.forward(locResponse) };
    });
  }
}

/** Sizes of a {@linkcode DepthwiseXCorr}. */
export interface DepthwiseXCorrOptions {
  readonly inChannels: number;
  readonly hidden: number;
  readonly outChannels: number;
}

/** One branch: embed both, correlate channel by channel, read out. */
export class DepthwiseXCorr extends Module {
  readonly convKernel: readonly Layer[];
  readonly convSearch: readonly Layer[];
  readonly head: readonly Layer[];

  constructor({ inChannels, hidden, outChannels }: DepthwiseXCorrOptions) {
    super();
    const embedding = () => [
      new Conv2d(inChannels, hidden, { kernel: 3, bias: false }),
      new BatchNorm2d(hidden),
      new ReLU(),
    ];
    this.convKernel = embedding();
    this.convSearch = embedding();
    this.head = [
      new Conv2d(hidden, hidden, { kernel: 1, bias: false }),
      new BatchNorm2d(hidden),
      new ReLU(),
      new Conv2d(hidden, outChannels, { kernel: 1 }),
    ];
  }

  /** `zf` `[B, 7, 7, C]` to `[B, 5, 5, hidden]`. */
  embed(zf: Tensor4D): Tensor4D {
    return sequential(zf, this.convKernel);
  }

  /** An embedded `z` `[B, 5, 5, hidden]` and `xf` `[B, 31, 31, C]` to `[B, 25, 25, out]` (SiamBAN, section 3.2). */
  compare(z: Tensor4D, xf: Tensor4D): Tensor4D {
    return tf.tidy(() => {
      const x = sequential(xf, this.convSearch);
      return sequential(xcorrDepthwise(x, z), this.head);
    });
  }
}

/** Options of {@linkcode DepthwiseBAN}. */
export interface DepthwiseOptions {
  readonly inChannels?: number;
  /** Channels of the correlation. */
  readonly outChannels?: number;
  readonly clsOutChannels?: number;
}

/** One level: a branch for classes, one for distances (siamban/models/head/ban.py). */
export class DepthwiseBAN extends Head {
  readonly cls: DepthwiseXCorr;
  readonly loc: DepthwiseXCorr;

  constructor({ inChannels = 256, outChannels = 256, clsOutChannels = 2 }: DepthwiseOptions = {}) {
    super();
    const sizes = { inChannels, hidden: outChannels };
    this.cls = new DepthwiseXCorr({ ...sizes, outChannels: clsOutChannels });
    this.loc = new DepthwiseXCorr({ ...sizes, outChannels: LOC_CHANNELS });
  }

  override embed([zf]: Features): Features {
    return [this.cls.embed(zf), this.loc.embed(zf)];
  }

  override compare([cls, loc]: Features, [xf]: Features): Prediction {
    return { cls: this.cls.compare(cls, xf), loc: this.loc.compare(loc, xf) };
  }
}

/** Options of {@linkcode MultiBAN}. */
export interface MultiOptions {
  /** Channels of each level. */
  readonly inChannels: readonly number[];
  readonly clsOutChannels?: number;
  /** Whether levels are summed with learned weights; otherwise they are averaged. */
  readonly weighted?: boolean;
}

/**
 * A {@linkcode DepthwiseBAN} a level (`box2`, `box3`, …), combined (SiamBAN, section 3.2 and equation 3):
 * cls = Σ softmax(clsWeight)ᵢ · clsᵢ and loc = Σ softmax(locWeight)ᵢ · exp(locScaleᵢ · locᵢ), or plain means.
 */
export class MultiBAN extends Head {
  [box: `box${number}`]: DepthwiseBAN;
  readonly clsWeight?: Parameter<Rank.R1>;
  readonly locWeight?: Parameter<Rank.R1>;
  readonly locScale: Parameter<Rank.R1>;
  readonly levels: number;

  constructor({ inChannels, clsOutChannels = 2, weighted = false }: MultiOptions) {
    super();
    this.levels = inChannels.length;
    inChannels.forEach((channels, i) => {
      const sizes = { inChannels: channels, outChannels: channels, clsOutChannels };
      this[`box${i + 2}`] = new DepthwiseBAN(sizes);
    });
    if (weighted) {
      this.clsWeight = new Parameter<Rank.R1>([this.levels], 1);
      this.locWeight = new Parameter<Rank.R1>([this.levels], 1);
    }
    this.locScale = new Parameter<Rank.R1>([this.levels], 1);
  }

  /** @throws {RangeError} If the number of levels differs. */
  override embed(zf: Features): Features {
    this.#checkLevels(zf.length, "template");
    return zf.flatMap((z, i) => this[`box${i + 2}`].embed([z]));
  }

  /** @throws {RangeError} If the number of levels differs. */
  override compare(template: Features, xf: Features): Prediction {
    this.#checkLevels(template.length / 2, "template");
    this.#checkLevels(xf.length, "search");
    return tf.tidy(() => {
      const levels = xf.map((x, i) =>
        this[`box${i + 2}`].compare(template.slice(2 * i, 2 * i + 2), [x])
      );
      const [cls, loc] = [levels.map(({ cls }) => cls), levels.map(({ loc }) => loc)];
      return {
        cls: fuseLevels(cls, { weight: this.clsWeight?.tensor }),
        loc: fuseLevels(loc, { weight: this.locWeight?.tensor, scale: this.locScale.tensor }),
      };
    });
  }

  #checkLevels(found: number, which: string): void {
    if (found === this.levels) return;
    throw new RangeError(
      `Cannot run the head: got ${found} ${which} levels, expected ${this.levels}, ` +
        "check backbone.usedLayers and head.inChannels",
    );
  }
}
