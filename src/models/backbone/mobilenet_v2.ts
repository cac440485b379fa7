import type { Tensor4D } from "@tensorflow/tfjs";
import { BatchNorm2d, Conv2d, Layer, ReLU6, sequential } from "../../nn/mod.ts";
import { Backbone, type Stage } from "./backbone.ts";

/** Options of {@linkcode MobileNetV2}. */
export interface MobileNetV2Options {
  /** Multiplies the channels of every layer. */
  readonly widthMult?: number;
  /** Layers whose outputs are the features, 0 to 7. */
  readonly usedLayers?: readonly number[];
}

/** Options of an {@linkcode InvertedResidual}. */
export interface InvertedResidualOptions {
  readonly stride: number;
  /** Hidden channels over input channels. */
  readonly expansion: number;
  readonly dilation: number;
}

/** Widen by 1x1, depthwise 3x3, narrow by 1x1 (MobileNetV2, arXiv:1801.04381, figure 4). */
export class InvertedResidual extends Layer {
  readonly conv: readonly Layer[];
  readonly shortcut: boolean;

  constructor(
    inChannels: number,
    outChannels: number,
    { stride, expansion, dilation }: InvertedResidualOptions,
  ) {
    super();
    this.shortcut = stride === 1 && inChannels === outChannels;
    const hidden = inChannels * expansion;
    // A stride of 2 goes without padding, so that template and search features stay aligned.
    const padding = dilation > 1 ? dilation : 2 - stride;
    this.conv = [
      new Conv2d(inChannels, hidden, { kernel: 1, bias: false }),
      new BatchNorm2d(hidden),
      new ReLU6(),
      new Conv2d(hidden, hidden, {
        kernel: 3,
        stride,
        padding,
        dilation,
        groups: hidden,
        bias: false,
      }),
      new BatchNorm2d(hidden),
      new ReLU6(),
      new Conv2d(hidden, outChannels, { kernel: 1, bias: false }),
      new BatchNorm2d(outChannels),
    ];
  }

  override forward(x: Tensor4D): Tensor4D {
    return sequential(x, this.conv, { residual: this.shortcut ? x : undefined });
  }
}

/** Expansion, channels, blocks, stride and dilation of layers 1 to 7; stride 8 throughout. */
const LAYERS = [
  { expansion: 1, channels: 16, blocks: 1, stride: 1, dilation: 1 },
  { expansion: 6, channels: 24, blocks: 2, stride: 2, dilation: 1 },
  { expansion: 6, channels: 32, blocks: 3, stride: 2, dilation: 1 },
  { expansion: 6, channels: 64, blocks: 4, stride: 1, dilation: 2 },
  { expansion: 6, channels: 96, blocks: 3, stride: 1, dilation: 2 },
  { expansion: 6, channels: 160, blocks: 3, stride: 1, dilation: 4 },
  { expansion: 6, channels: 320, blocks: 1, stride: 1, dilation: 4 },
] as const;

/**
 * MobileNetV2 with dilation in place of the last strides (arXiv:1801.04381;
 * siamban/models/backbone/mobile_v2.py): 127 pixels to 15, 255 to 31.
 */
export class MobileNetV2 extends Backbone {
  [layer: `layer${number}`]: readonly Layer[];
  override readonly outputs: readonly string[];

  constructor({ widthMult = 1, usedLayers = [3, 5, 7] }: MobileNetV2Options = {}) {
    super();
    this.outputs = usedLayers.map((layer) => `layer${layer}`);
    let channels = Math.trunc(32 * widthMult);
    this.layer0 = [
      new Conv2d(3, channels, { kernel: 3, stride: 2, bias: false }),
      new BatchNorm2d(channels),
      new ReLU6(),
    ];
    let lastDilation = 1;
    LAYERS.forEach(({ expansion, blocks, stride, dilation, ...layer }, i) => {
      const width = Math.trunc(layer.channels * widthMult);
      // The block that enters a wider dilation takes half of it.
      const entry = dilation === lastDilation ? dilation : Math.max(dilation / 2, 1);
      this[`layer${i + 1}`] = Array.from({ length: blocks }, (_, block) => {
        const first = block === 0;
        return new InvertedResidual(first ? channels : width, width, {
          expansion,
          stride: first ? stride : 1,
          dilation: first ? entry : dilation,
        });
      });
      channels = width;
      lastDilation = dilation;
    });
  }

  override stages(): readonly Stage[] {
    return Array.from({ length: LAYERS.length + 1 }, (_, i) => {
      const name = `layer${i}` as const;
      return { name, layers: this[name] };
    });
  }
}
