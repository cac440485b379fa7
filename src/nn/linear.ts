import * as tf from "@tensorflow/tfjs";
import type { Rank, Tensor4D } from "@tensorflow/tfjs";
import { conv2d, convGeometry, foldedConv2d, isRecording } from "../ops/mod.ts";
import { Layer } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** A weighted sum of channels, pixel by pixel (`nn.Linear`), with a bias. Weights are 0 until loaded. */
export class Linear extends Layer {
  /** `[out, in]`. */
  readonly weight: Parameter<Rank.R2>;
  /** `[out]`. */
  readonly bias: Parameter<Rank.R1>;

  constructor(inChannels: number, outChannels: number) {
    super();
    this.weight = new Parameter<Rank.R2>([outChannels, inChannels], 0);
    this.bias = new Parameter<Rank.R1>([outChannels], 0);
  }

  /** `[B, H, W, in]` to `[B, H, W, out]`. */
  override forward(x: Tensor4D): Tensor4D {
    return tf.tidy(() => {
      const [outChannels, inChannels] = this.weight.tensor.shape;
      const filters = this.weight.tensor.reshape<Tensor4D>([outChannels, 1, 1, inChannels]);
      const bias = this.bias.tensor;
      if (isRecording()) return conv2d(x, filters, { bias });
      const options = { ...convGeometry({}), bias, activation: "none", epsilon: 0 } as const;
      return foldedConv2d(x, filters, options);
    });
  }
}
