import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { activate, channelGate, spatialMean } from "../ops/mod.ts";
import { ReLU } from "./activation.ts";
import { Conv2d } from "./conv2d.ts";
import { Linear } from "./linear.ts";
import { Layer } from "./module.ts";
import { sequential } from "./sequential.ts";

/** Scales channels by what their means say (MobileNetV3, arXiv:1905.02244, section 5.3). */
export class SqueezeExcite extends Layer {
  readonly fc: readonly Layer[];

  /** @param hidden Channels between the two linear layers. */
  constructor(channels: number, hidden: number) {
    super();
    this.fc = [new Linear(channels, hidden), new ReLU(), new Linear(hidden, channels)];
  }

  override forward(x: Tensor4D): Tensor4D {
    return tf.tidy(() => channelGate(x, sequential(spatialMean(x), this.fc), "hard_sigmoid"));
  }
}

/** The same with 1x1 convolutions and a smooth sigmoid (CBAM's channel attention, without its maximum). */
export class ChannelAttention extends Layer {
  readonly fc1: Conv2d;
  readonly fc2: Conv2d;

  constructor(channels: number) {
    super();
    this.fc1 = new Conv2d(channels, channels, { kernel: 1 });
    this.fc2 = new Conv2d(channels, channels, { kernel: 1 });
  }

  override forward(x: Tensor4D): Tensor4D {
    return tf.tidy(() => {
      const hidden = activate(this.fc1.forward(spatialMean(x)), "relu");
      return channelGate(x, this.fc2.forward(hidden), "sigmoid");
    });
  }
}
