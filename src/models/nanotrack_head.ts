/** The heads of NanoTrack (github.com/HonglinChu/NanoTrack, nanotrack/models/head/ban_v1.py to ban_v3.py). */
import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import {
  BatchNorm2d,
  ChannelAttention,
  Conv2d,
  initNormal,
  initUniform,
  type Layer,
  Module,
  ReLU6,
  sequential,
} from "../nn/mod.ts";
import { xcorrDepthwise, xcorrPixelwise } from "../ops/mod.ts";
import type { Rng } from "../random.ts";
import type { Features } from "./backbone/mod.ts";
import { Head, type Prediction } from "./head.ts";

/** Positions of a template of 127 pixels: 8 x 8. */
const POSITIONS = 64;
const CLASSES = 2;
const DISTANCES = 4;

/** Correlates with every position of the template, then weighs the positions. */
class PixelwiseXCorr extends Module {
  readonly attention = new ChannelAttention(POSITIONS);
  readonly convKernel?: readonly Layer[];
  readonly convSearch?: readonly Layer[];
  readonly conv?: readonly Layer[];

  /**
   * @param channels Those of both inputs, each with an embedding of its own; without it they are
   * correlated as they are.
   * @param options `mix`: whether a depthwise 2x2 and a 1x1 convolution follow.
   */
  constructor(channels?: number, { mix = false }: { readonly mix?: boolean } = {}) {
    super();
    if (channels) {
      this.convKernel = pointwise(channels);
      this.convSearch = pointwise(channels);
    }
    if (mix) {
      this.conv = [
        new Conv2d(POSITIONS, POSITIONS, { kernel: 2, groups: POSITIONS, bias: false }),
        new BatchNorm2d(POSITIONS),
        new ReLU6(),
        new Conv2d(POSITIONS, POSITIONS, { kernel: 1 }),
        new BatchNorm2d(POSITIONS),
      ];
    }
  }

  override keyOf(field: string): string {
    return field === "attention" ? "CA_layer" : super.keyOf(field);
  }

  embed(zf: Tensor4D): Tensor4D {
    return this.convKernel ? sequential(zf, this.convKernel) : zf.clone();
  }

  /** An embedded `z` `[B, 8, 8, C]` and `xf` `[B, 16, 16, C]` to `[B, 16, 16, 64]`, or with `mix` `[B, 15, 15, 64]`. */
  compare(z: Tensor4D, xf: Tensor4D): Tensor4D {
    return tf.tidy(() => {
      const x = this.convSearch ? sequential(xf, this.convSearch) : xf;
      const response = this.attention.forward(xcorrPixelwise(x, z));
      return this.conv ? sequential(response, this.conv) : response;
    });
  }
}

/** Correlates with the centre of the template, channel by channel. */
class CentreXCorr extends Module {
  readonly convKernel: readonly Layer[];
  readonly convSearch: readonly Layer[];

  constructor(channels: number) {
    super();
    this.convKernel = pointwise(channels);
    this.convSearch = pointwise(channels);
  }

  /** `[B, 8, 8, C]` to its centre `[B, 4, 4, C]`. */
  embed(zf: Tensor4D): Tensor4D {
    return tf.tidy(() => {
      const centre = zf.shape[2] > 4 ? zf.slice([0, 2, 2, 0], [-1, 4, 4, -1]) : zf;
      return sequential(centre, this.convKernel);
    });
  }

  /** `xf` `[B, 16, 16, C]` to `[B, 15, 15, C]`. */
  compare(z: Tensor4D, xf: Tensor4D): Tensor4D {
    return tf.tidy(() => xcorrDepthwise(sequential(xf, this.convSearch), z, { padding: 1 }));
  }
}

/** NanoTrack V1: one correlation, two towers. */
export class NanoTrackHeadV1 extends Head {
  readonly corrPw = new PixelwiseXCorr();
  readonly clsTower = tower([[POSITIONS, 128, 5], [128, 128, 5], [128, 128, 3]]);
  readonly bboxTower = tower([[POSITIONS, 96, 3], [96, 96, 3], [96, 96, 5], [96, 96, 5]]);
  readonly clsLogits = [new Conv2d(128, CLASSES, { kernel: 1 })];
  readonly bboxPred = [new Conv2d(96, DISTANCES, { kernel: 1 })];

  override initialise(rng: Rng): void {
    initialiseHead(this, this.corrPw, rng);
  }

  override embed([zf]: Features): Features {
    return [this.corrPw.embed(zf)];
  }

  override compare([z]: Features, [xf]: Features): Prediction {
    return tidyPrediction(() => {
      const response = this.corrPw.compare(z, xf);
      return {
        cls: sequential(response, [...this.clsTower, ...this.clsLogits]),
        loc: sequential(response, [...this.bboxTower, ...this.bboxPred]).exp(),
      };
    });
  }
}

const TOWER_V2: readonly TowerStep[] = [
  [POSITIONS, 96, 3],
  ...Array.from({ length: 5 }, (): TowerStep => [96, 96, 3]),
];

/** NanoTrack V2: a correlation for each tower. */
export class NanoTrackHeadV2 extends Head {
  readonly corrPwReg = new PixelwiseXCorr(48);
  readonly corrPwCls = new PixelwiseXCorr(48);
  readonly clsPwTower = tower(TOWER_V2);
  readonly bboxPwTower = tower(TOWER_V2);
  readonly clsPred = [new Conv2d(96, CLASSES, { kernel: 1 })];
  readonly bboxPred = [new Conv2d(96, DISTANCES, { kernel: 1 })];

  override initialise(rng: Rng): void {
    initNormal(this, rng);
  }

  override embed([zf]: Features): Features {
    return [this.corrPwReg.embed(zf), this.corrPwCls.embed(zf)];
  }

  override compare([zReg, zCls]: Features, [xf]: Features): Prediction {
    return tidyPrediction(() => {
      const reg = this.corrPwReg.compare(zReg, xf), cls = this.corrPwCls.compare(zCls, xf);
      return {
        cls: sequential(cls, [...this.clsPwTower, ...this.clsPred]),
        loc: sequential(reg, [...this.bboxPwTower, ...this.bboxPred]).exp(),
      };
    });
  }
}

/** Channels of the features, and of everything behind them. */
const WIDTH_V3 = 96;

/** NanoTrack V3: beside each pixel-wise correlation a depthwise one with the centre of the template. */
export class NanoTrackHeadV3 extends Head {
  readonly corrDwReg = new CentreXCorr(WIDTH_V3);
  readonly corrPwReg = new PixelwiseXCorr(WIDTH_V3, { mix: true });
  readonly corrDwCls = new CentreXCorr(WIDTH_V3);
  readonly corrPwCls = new PixelwiseXCorr(WIDTH_V3, { mix: true });
  readonly clsTower = towerV3();
  readonly bboxTower = towerV3();
  readonly clsLogits = [new Conv2d(WIDTH_V3, CLASSES, { kernel: 1 })];
  readonly bboxPred = [new Conv2d(WIDTH_V3, DISTANCES, { kernel: 1 })];
  readonly downReg = [new Conv2d(POSITIONS + WIDTH_V3, WIDTH_V3, { kernel: 1 })];
  readonly downCls = [new Conv2d(POSITIONS + WIDTH_V3, WIDTH_V3, { kernel: 1 })];

  override initialise(rng: Rng): void {
    initialiseHead(this, [this.corrPwReg.attention, this.corrPwCls.attention], rng);
  }

  override embed([zf]: Features): Features {
    const parts = [this.corrDwReg, this.corrPwReg, this.corrDwCls, this.corrPwCls];
    return parts.map((part) => part.embed(zf));
  }

  override compare([dwReg, pwReg, dwCls, pwCls]: Features, [xf]: Features): Prediction {
    return tidyPrediction(() => {
      const both = (pixelwise: Tensor4D, depthwise: Tensor4D) =>
        tf.concat([pixelwise, depthwise], 3) as Tensor4D;
      const reg = both(this.corrPwReg.compare(pwReg, xf), this.corrDwReg.compare(dwReg, xf));
      const cls = both(this.corrPwCls.compare(pwCls, xf), this.corrDwCls.compare(dwCls, xf));
      return {
        cls: sequential(cls, [...this.downCls, ...this.clsTower, ...this.clsLogits]),
        loc: sequential(reg, [...this.downReg, ...this.bboxTower, ...this.bboxPred]).exp(),
      };
    });
  }
}

/** All filters normal, but for one part of the head that keeps PyTorch's default. */
function initialiseHead(head: Head, byDefault: Module | readonly Module[], rng: Rng): void {
  initNormal(head, rng.fork(0));
  initUniform(byDefault, rng.fork(1));
}

function tidyPrediction(compare: () => Prediction): Prediction {
  return tf.tidy(compare);
}

/** 1x1 convolution and norm. */
function pointwise(channels: number): readonly Layer[] {
  return [new Conv2d(channels, channels, { kernel: 1 }), new BatchNorm2d(channels)];
}

/** Channels in, channels out, side of the depthwise filters. */
type TowerStep = readonly [inChannels: number, outChannels: number, kernel: number];

/** Depthwise and 1x1 convolution, norm and clipped activation, over and over. */
function tower(steps: readonly TowerStep[]): readonly Layer[] {
  return steps.flatMap(([inChannels, outChannels, kernel]) => [
    depthwise(inChannels, kernel),
    new Conv2d(inChannels, outChannels, { kernel: 1, bias: false }),
    new BatchNorm2d(outChannels),
    new ReLU6(),
  ]);
}

/** The same six times with the norm and activation between the two convolutions, and a norm behind. */
function towerV3(): readonly Layer[] {
  return Array.from({ length: 6 }, () => [
    depthwise(WIDTH_V3, 3),
    new BatchNorm2d(WIDTH_V3),
    new ReLU6(),
    new Conv2d(WIDTH_V3, WIDTH_V3, { kernel: 1, bias: false }),
    new BatchNorm2d(WIDTH_V3),
  ]).flat();
}

function depthwise(channels: number, kernel: number): Conv2d {
  const padding = (kernel - 1) / 2;
  return new Conv2d(channels, channels, { kernel, padding, groups: channels, bias: false });
}
