import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import {
  BatchNorm2d,
  Conv2d,
  convBlock,
  initNormal,
  Layer,
  MaxPool2d,
  ReLU,
  sequential,
} from "../../nn/mod.ts";
import type { Rng } from "../../random.ts";
import { Backbone, type Stage } from "./backbone.ts";

/** Options of the ResNets. */
export interface ResNetOptions {
  /** Layers whose outputs are the features: 0 is the stem, 1 to 4 the stages. */
  readonly usedLayers?: readonly number[];
}

/** Options of a residual block. */
export interface BlockOptions {
  /** Width of the 3x3 convolutions. */
  readonly planes: number;
  readonly stride?: number;
  readonly dilation?: number;
  /** What brings the input to the output's shape, in the first block of a layer. */
  readonly downsample?: readonly Layer[];
}

/** Two 3x3 convolutions and a shortcut (arXiv:1512.03385, figure 5 left). */
export class BasicBlock extends Layer {
  static readonly expansion = 1;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly relu = new ReLU();
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample?: readonly Layer[];

  constructor(inChannels: number, options: BlockOptions) {
    super();
    const { planes, dilation = 1, downsample } = options;
    this.conv1 = new Conv2d(inChannels, planes, firstConv(options));
    this.bn1 = new BatchNorm2d(planes);
    this.conv2 = new Conv2d(planes, planes, {
      kernel: 3,
      padding: dilation,
      dilation,
      bias: false,
    });
    this.bn2 = new BatchNorm2d(planes);
    this.downsample = downsample;
  }

  override forward(x: Tensor4D): Tensor4D {
    return tf.tidy(() => {
      const y = sequential(x, [this.conv1, this.bn1, this.relu]);
      const residual = this.downsample ? sequential(x, this.downsample) : x;
      return convBlock(y, this.conv2, { norm: this.bn2, residual, activation: this.relu.kind });
    });
  }
}

/** Narrow by 1x1, 3x3, widen by 1x1, and a shortcut (arXiv:1512.03385, figure 5 right). */
export class Bottleneck extends Layer {
  static readonly expansion = 4;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly relu = new ReLU();
  readonly downsample?: readonly Layer[];

  constructor(inChannels: number, options: BlockOptions) {
    super();
    const { planes, downsample } = options;
    const outChannels = planes * Bottleneck.expansion;
    this.conv1 = new Conv2d(inChannels, planes, { kernel: 1, bias: false });
    this.bn1 = new BatchNorm2d(planes);
    this.conv2 = new Conv2d(planes, planes, firstConv(options));
    this.bn2 = new BatchNorm2d(planes);
    this.conv3 = new Conv2d(planes, outChannels, { kernel: 1, bias: false });
    this.bn3 = new BatchNorm2d(outChannels);
    this.downsample = downsample;
  }

  override forward(x: Tensor4D): Tensor4D {
    return tf.tidy(() => {
      const { conv1, bn1, conv2, bn2, relu } = this;
      const y = sequential(x, [conv1, bn1, relu, conv2, bn2, relu]);
      const residual = this.downsample ? sequential(x, this.downsample) : x;
      return convBlock(y, this.conv3, { norm: this.bn3, residual, activation: relu.kind });
    });
  }
}

/** The 3x3 convolution of a block that strides, or that enters a wider dilation with half of it. */
function firstConv({ stride = 1, dilation = 1, downsample }: BlockOptions) {
  const entry = downsample && dilation > 1 ? dilation / 2 : dilation;
  // A stride of 2 goes without padding, so that template and search features stay aligned.
  const padding = dilation > 1 ? entry : 2 - stride;
  return { kernel: 3, stride, padding, dilation: entry, bias: false };
}

type BlockType = typeof BasicBlock | typeof Bottleneck;

/**
 * ResNet with stride 8: dilation 2 and 4 in place of the last two strides (SiamRPN++, arXiv:1812.11703,
 * section 3.2; siamban/models/backbone/resnet_atrous.py): 127 pixels to 15, 255 to 31.
 */
export class ResNet extends Backbone {
  readonly conv1 = new Conv2d(3, 64, { kernel: 7, stride: 2, bias: false });
  readonly bn1 = new BatchNorm2d(64);
  readonly relu = new ReLU();
  readonly maxpool = new MaxPool2d({ kernel: 3, stride: 2, padding: 1 });
  readonly layer1: readonly Layer[];
  readonly layer2: readonly Layer[];
  /** Only there if it or layer 4 is used. */
  readonly layer3?: readonly Layer[];
  /** Only there if used. */
  readonly layer4?: readonly Layer[];
  override readonly outputs: readonly string[];

  /**
   * @param block Kind of block.
   * @param blocks Blocks in each of the four layers.
   */
  constructor(
    block: BlockType,
    blocks: readonly number[],
    { usedLayers = [2, 3, 4] }: ResNetOptions = {},
  ) {
    super();
    this.outputs = usedLayers.map((layer) => layer === 0 ? "relu" : `layer${layer}`);
    const last = Math.max(...usedLayers);
    const width = (planes: number) => planes * block.expansion;
    this.layer1 = makeLayer(block, 64, { planes: 64, blocks: blocks[0] });
    this.layer2 = makeLayer(block, width(64), { planes: 128, blocks: blocks[1], stride: 2 });
    if (last >= 3) {
      this.layer3 = makeLayer(block, width(128), { planes: 256, blocks: blocks[2], dilation: 2 });
    }
    if (last >= 4) {
      this.layer4 = makeLayer(block, width(256), { planes: 512, blocks: blocks[3], dilation: 4 });
    }
  }

  override initialise(rng: Rng): void {
    initNormal(this, rng);
  }

  override stages(): readonly Stage[] {
    const { conv1, bn1, relu, maxpool, layer1, layer2, layer3, layer4 } = this;
    return [
      { name: "relu", layers: [conv1, bn1, relu] },
      { name: "maxpool", layers: [maxpool] },
      { name: "layer1", layers: layer1 },
      { name: "layer2", layers: layer2 },
      ...(layer3 ? [{ name: "layer3", layers: layer3 }] : []),
      ...(layer4 ? [{ name: "layer4", layers: layer4 }] : []),
    ];
  }
}

function makeLayer(
  block: BlockType,
  inChannels: number,
  options: BlockOptions & { readonly blocks: number },
): Layer[] {
  const { planes, blocks, stride = 1, dilation = 1 } = options;
  const outChannels = planes * block.expansion;
  const reshapes = stride !== 1 || inChannels !== outChannels;
  const downsample = reshapes
    ? [new Conv2d(inChannels, outChannels, shortcutConv(options)), new BatchNorm2d(outChannels)]
    : undefined;
  const first = new block(inChannels, { planes, stride, dilation, downsample });
  const others = Array.from(
    { length: blocks - 1 },
    () => new block(outChannels, { planes, dilation }),
  );
  return [first, ...others];
}

/** The shortcut's convolution sees what the block's own first one sees. */
function shortcutConv({ stride = 1, dilation = 1 }: BlockOptions) {
  if (stride === 1 && dilation === 1) return { kernel: 1, bias: false };
  const entry = dilation > 1 ? dilation / 2 : 1;
  const padding = dilation > 1 ? entry : 0;
  return { kernel: 3, stride, padding, dilation: entry, bias: false };
}

/** ResNet-18. */
export function resnet18(options: ResNetOptions = {}): ResNet {
  return new ResNet(BasicBlock, [2, 2, 2, 2], options);
}

/** ResNet-34. */
export function resnet34(options: ResNetOptions = {}): ResNet {
  return new ResNet(BasicBlock, [3, 4, 6, 3], options);
}

/** ResNet-50. */
export function resnet50(options: ResNetOptions = {}): ResNet {
  return new ResNet(Bottleneck, [3, 4, 6, 3], options);
}
