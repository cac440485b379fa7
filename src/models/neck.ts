/** Between backbone and head: each level to the head's channels, template features to their centre. */
import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import type { NeckConfig } from "../config/experiment_config.ts";
import { BatchNorm2d, Conv2d, type Layer, Module, sequential } from "../nn/mod.ts";
import type { Features } from "./backbone/mod.ts";

/** From the backbone's feature maps to the head's. */
export abstract class Neck extends Module {
  /** One map a level in, one out. */
  abstract forward(features: Features): Features;
}

/** Maps narrower than this are a template's. */
const CROP_BELOW = 20;
/** First kept position and number of kept positions: the centre 7 of 15 (SiamRPN++, section 3.3). */
const CROP = { start: 4, size: 7 };

/** 1x1 convolution, norm, and the centre crop, for one level (siamban/models/neck/neck.py). */
export class AdjustLayer extends Neck {
  readonly downsample: readonly Layer[];

  constructor(inChannels: number, outChannels: number) {
    super();
    this.downsample = [
      new Conv2d(inChannels, outChannels, { kernel: 1, bias: false }),
      new BatchNorm2d(outChannels),
    ];
  }

  override forward([x]: Features): Features {
    return [this.adjust(x)];
  }

  /**
   * @param x `[B, H, W, in]`.
   * @returns `[B, H, W, out]`, or `[B, 7, 7, out]` if W is below 20.
   * @throws {RangeError} If the crop leaves nothing.
   */
  adjust(x: Tensor4D): Tensor4D {
    return tf.tidy(() => cropCenter(sequential(x, this.downsample)));
  }
}

/** An {@linkcode AdjustLayer} a level: `downsample`, or `downsample2`, `downsample3`, … */
export class AdjustAllLayer extends Neck {
  readonly downsample?: AdjustLayer;
  [level: `downsample${number}`]: AdjustLayer;
  readonly levels: number;

  constructor(inChannels: readonly number[], outChannels: readonly number[]) {
    super();
    this.levels = outChannels.length;
    if (this.levels === 1) this.downsample = new AdjustLayer(inChannels[0], outChannels[0]);
    else {
      outChannels.forEach((channels, i) => {
        this[`downsample${i + 2}`] = new AdjustLayer(inChannels[i], channels);
      });
    }
  }

  override forward(features: Features): Features {
    if (features.length !== this.levels) {
      throw new RangeError(
        `Cannot adjust features: got ${features.length} levels, expected ${this.levels}, ` +
          `check backbone.usedLayers and neck.outChannels`,
      );
    }
    return features.map((x, i) => (this.downsample ?? this[`downsample${i + 2}`]).adjust(x));
  }
}

/** Builds the neck of a configuration; none if it is turned off. */
export function buildNeck(config: NeckConfig): Neck | undefined {
  if (!config.enabled) return undefined;
  if (config.type === "AdjustLayer") {
    return new AdjustLayer(config.kwargs.inChannels, config.kwargs.outChannels);
  }
  return new AdjustAllLayer(config.kwargs.inChannels, config.kwargs.outChannels);
}

function cropCenter(x: Tensor4D): Tensor4D {
  const [, height, width] = x.shape;
  if (width >= CROP_BELOW) return x;
  const rows = Math.min(CROP.size, height - CROP.start);
  const columns = Math.min(CROP.size, width - CROP.start);
  if (rows < 1 || columns < 1) {
    throw new RangeError(
      `Cannot crop features of ${height} x ${width} to their centre, expected more than ${CROP.start} a side, ` +
        `check the exemplar size or turn the neck off`,
    );
  }
  // Parity: neck.py crops [4, 11) of any narrow map, which is the centre only of one 15 wide.
  return x.slice([0, CROP.start, CROP.start, 0], [-1, rows, columns, -1]);
}
