import { BatchNorm2d, Conv2d, type Layer, MaxPool2d, ReLU } from "../../nn/mod.ts";
import { alexNetChannels, type AlexNetOptions } from "./alexnet.ts";
import { Backbone, type Stage } from "./backbone.ts";

/**
 * The same network as `AlexNet` as one flat sequence, which older checkpoints have
 * (siamban/models/backbone/alexnet.py `AlexNetLegacy`).
 */
export class AlexNetLegacy extends Backbone {
  readonly features: readonly Layer[];
  override readonly outputs = ["features.15"];

  constructor(options: AlexNetOptions = {}) {
    super();
    const [c1, c2, c3, c4, c5] = alexNetChannels(options);
    this.features = [
      new Conv2d(3, c1, { kernel: 11, stride: 2 }),
      new BatchNorm2d(c1),
      new MaxPool2d({ kernel: 3, stride: 2 }),
      new ReLU(),
      new Conv2d(c1, c2, { kernel: 5 }),
      new BatchNorm2d(c2),
      new MaxPool2d({ kernel: 3, stride: 2 }),
      new ReLU(),
      new Conv2d(c2, c3, { kernel: 3 }),
      new BatchNorm2d(c3),
      new ReLU(),
      new Conv2d(c3, c4, { kernel: 3 }),
      new BatchNorm2d(c4),
      new ReLU(),
      new Conv2d(c4, c5, { kernel: 3 }),
      new BatchNorm2d(c5),
    ];
  }

  override stages(): readonly Stage[] {
    const ends = [2, 6, 10, 13, 15];
    return ends.map((end, i) => ({
      name: `features.${end}`,
      layers: this.features.slice(i === 0 ? 0 : ends[i - 1] + 1, end + 1),
    }));
  }
}
