import { BatchNorm2d, Conv2d, type Layer, MaxPool2d, ReLU } from "../../nn/mod.ts";
import { Backbone, type Stage } from "./backbone.ts";

/** Options of the AlexNets. */
export interface AlexNetOptions {
  /** Multiplies the channels of every layer. */
  readonly widthMult?: number;
}

/** Channels of the five convolutions, rounded down. */
export function alexNetChannels({ widthMult = 1 }: AlexNetOptions): number[] {
  return [96, 256, 384, 384, 256].map((channels) => Math.trunc(channels * widthMult));
}

/**
 * AlexNet without padding, one part a convolution (SiamFC, arXiv:1606.09549; siamban/models/backbone/alexnet.py
 * `AlexNet`): 127 pixels to 6, 255 to 22.
 */
export class AlexNet extends Backbone {
  readonly layer1: readonly Layer[];
  readonly layer2: readonly Layer[];
  readonly layer3: readonly Layer[];
  readonly layer4: readonly Layer[];
  readonly layer5: readonly Layer[];
  override readonly outputs = ["layer5"];

  constructor(options: AlexNetOptions = {}) {
    super();
    const [c1, c2, c3, c4, c5] = alexNetChannels(options);
    const pool = { kernel: 3, stride: 2 };
    this.layer1 = [
      new Conv2d(3, c1, { kernel: 11, stride: 2 }),
      new BatchNorm2d(c1),
      new MaxPool2d(pool),
      new ReLU(),
    ];
    this.layer2 = [
      new Conv2d(c1, c2, { kernel: 5 }),
      new BatchNorm2d(c2),
      new MaxPool2d(pool),
      new ReLU(),
    ];
    this.layer3 = [new Conv2d(c2, c3, { kernel: 3 }), new BatchNorm2d(c3), new ReLU()];
    this.layer4 = [new Conv2d(c3, c4, { kernel: 3 }), new BatchNorm2d(c4), new ReLU()];
    this.layer5 = [new Conv2d(c4, c5, { kernel: 3 }), new BatchNorm2d(c5)];
  }

  override stages(): readonly Stage[] {
    const { layer1, layer2, layer3, layer4, layer5 } = this;
    return Object.entries({ layer1, layer2, layer3, layer4, layer5 })
      .map(([name, layers]) => ({ name, layers }));
  }
}
