import type { Rank, Tensor4D } from "@tensorflow/tfjs";
import { type ConvGeometry, convGeometry, type ConvOptions } from "../ops/mod.ts";
import { convBlock, type Convolution } from "./conv_block.ts";
import { Layer } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Shape of a {@linkcode Conv2d}; square kernels only. */
export interface Conv2dOptions extends ConvOptions {
  /** Side of the filters. */
  readonly kernel: number;
  /** Whether a bias is added; default true, as in PyTorch. */
  readonly bias?: boolean;
}

/** A convolution (`nn.Conv2d`). Weights are 0 until they are initialised or loaded. */
export class Conv2d extends Layer implements Convolution {
  /** Filters, `[out, kernel, kernel, in / groups]`. */
  readonly weight: Parameter<Rank.R4>;
  /** `[out]`. */
  readonly bias?: Parameter<Rank.R1>;
  readonly geometry: ConvGeometry;

  constructor(
    inChannels: number,
    outChannels: number,
    { kernel, bias = true, ...geometry }: Conv2dOptions,
  ) {
    super();
    this.geometry = convGeometry(geometry);
    const { groups } = this.geometry;
    this.weight = new Parameter<Rank.R4>([outChannels, kernel, kernel, inChannels / groups], 0);
    if (bias) this.bias = new Parameter<Rank.R1>([outChannels], 0);
  }

  /** `[B, H, W, in]` to `[B, Ho, Wo, out]`. */
  override forward(x: Tensor4D): Tensor4D {
    return convBlock(x, this);
  }
}
