import type { Tensor4D } from "@tensorflow/tfjs";
import {
  BatchNorm2d,
  Conv2d,
  HardSwish,
  Identity,
  initNormal,
  Layer,
  ReLU,
  Sequential,
  sequential,
  SqueezeExcite,
} from "../../nn/mod.ts";
import type { Rng } from "../../random.ts";
import { Backbone, type Stage } from "./backbone.ts";

/** A block of {@linkcode MobileNetV3}. */
interface Block {
  readonly kernel: number;
  /** Hidden channels over input channels, before rounding. */
  readonly expansion: number;
  readonly channels: number;
  /** Whether channels are scaled by their means. */
  readonly excite: boolean;
  readonly activation: "relu" | "hard_swish";
  readonly stride: number;
}

/** Widen by 1x1, depthwise, scale, narrow by 1x1 (MobileNetV3, arXiv:1905.02244, figure 4). */
class InvertedResidualV3 extends Layer {
  readonly conv: readonly Layer[];
  readonly shortcut: boolean;

  constructor(inChannels: number, { kernel, expansion, channels, stride, ...block }: Block) {
    super();
    this.shortcut = stride === 1 && inChannels === channels;
    const hidden = toEights(inChannels * expansion);
    const activation = () => block.activation === "relu" ? new ReLU() : new HardSwish();
    const excite = () =>
      block.excite ? new SqueezeExcite(hidden, toEights(Math.floor(hidden / 4))) : new Identity();
    const padding = (kernel - 1) / 2;
    const depthwise = [
      new Conv2d(hidden, hidden, { kernel, stride, padding, groups: hidden, bias: false }),
      new BatchNorm2d(hidden),
    ];
    const narrow = [
      new Conv2d(hidden, channels, { kernel: 1, bias: false }),
      new BatchNorm2d(channels),
    ];
    // A block that does not widen scales behind the activation, the others in front of it.
    this.conv = hidden === inChannels ? [...depthwise, activation(), excite(), ...narrow] : [
      new Conv2d(inChannels, hidden, { kernel: 1, bias: false }),
      new BatchNorm2d(hidden),
      activation(),
      ...depthwise,
      excite(),
      activation(),
      ...narrow,
    ];
  }

  override forward(x: Tensor4D): Tensor4D {
    return sequential(x, this.conv, { residual: this.shortcut ? x : undefined });
  }
}

/** Kernel, expansion, channels, excitation, activation and stride of the blocks of the small variant. */
const BLOCKS: readonly Block[] = [
  { kernel: 3, expansion: 1, channels: 16, excite: true, activation: "relu", stride: 2 },
  { kernel: 3, expansion: 4.5, channels: 24, excite: false, activation: "relu", stride: 2 },
  { kernel: 3, expansion: 3.67, channels: 24, excite: false, activation: "relu", stride: 1 },
  { kernel: 5, expansion: 4, channels: 40, excite: true, activation: "hard_swish", stride: 2 },
  { kernel: 5, expansion: 6, channels: 40, excite: true, activation: "hard_swish", stride: 1 },
  { kernel: 5, expansion: 6, channels: 40, excite: true, activation: "hard_swish", stride: 1 },
  { kernel: 5, expansion: 3, channels: 48, excite: true, activation: "hard_swish", stride: 1 },
  { kernel: 5, expansion: 3, channels: 48, excite: true, activation: "hard_swish", stride: 1 },
];
/** One more with the stride of the classifier taken out, so that the map stays 1/16 of the image. */
const LAST_BLOCK_V3: Block = {
  kernel: 5,
  expansion: 6,
  channels: 96,
  excite: true,
  activation: "hard_swish",
  stride: 1,
};
const STEM_CHANNELS = 16;

/**
 * The front of MobileNetV3-small (arXiv:1905.02244, table 2; NanoTrack, nanotrack/models/backbone/mobile_v3.py):
 * stride 16, 127 pixels to 8, 255 to 16.
 */
export class MobileNetV3 extends Backbone {
  /** The stem, then one entry a block. */
  readonly features: readonly Layer[];
  override readonly outputs: readonly string[];

  constructor(blocks: readonly Block[]) {
    super();
    const stem = new Sequential([
      new Conv2d(3, STEM_CHANNELS, { kernel: 3, stride: 2, padding: 1, bias: false }),
      new BatchNorm2d(STEM_CHANNELS),
      new HardSwish(),
    ]);
    const widths = [STEM_CHANNELS, ...blocks.map(({ channels }) => channels)];
    this.features = [stem, ...blocks.map((block, i) => new InvertedResidualV3(widths[i], block))];
    this.outputs = [`features.${blocks.length}`];
  }

  override initialise(rng: Rng): void {
    initNormal(this, rng);
  }

  override stages(): readonly Stage[] {
    return this.features.map((layer, i) => ({ name: `features.${i}`, layers: [layer] }));
  }
}

/** The cut of NanoTrack V1 and V2: 48 channels. */
export function mobilenetV3Small(): MobileNetV3 {
  return new MobileNetV3(BLOCKS);
}

/** The cut of NanoTrack V3: 96 channels. */
export function mobilenetV3SmallV3(): MobileNetV3 {
  return new MobileNetV3([...BLOCKS, LAST_BLOCK_V3]);
}

/** The nearest multiple of 8 that is not below nine tenths of `channels`. */
function toEights(channels: number): number {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}
