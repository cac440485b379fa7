import type { Rank, Tensor4D } from "@tensorflow/tfjs";
import { type ActivationKind, batchNorm, type NormTensors } from "../ops/mod.ts";
import { Layer } from "./module.ts";
import { Counter, ModuleBuffer, Parameter } from "./parameter.ts";

/** What is done to a normalised feature map in the same pass. */
export interface NormTail {
  /** Added after the norm, of the output's shape. */
  readonly residual?: Tensor4D;
  /** Applied last; default none. */
  readonly activation?: ActivationKind;
}

/** Batch normalisation over all but channels (`nn.BatchNorm2d`), with running statistics. */
export class BatchNorm2d extends Layer {
  /** Scale, `[C]`. */
  readonly weight: Parameter<Rank.R1>;
  /** Shift, `[C]`. */
  readonly bias: Parameter<Rank.R1>;
  readonly runningMean: ModuleBuffer<Rank.R1>;
  /** Unbiased. */
  readonly runningVar: ModuleBuffer<Rank.R1>;
  /** Forward passes in training mode. */
  readonly numBatchesTracked = new Counter();
  /** Added to the variance. */
  readonly epsilon = 1e-5;
  /** Share of a batch's statistics in the running ones. */
  readonly momentum = 0.1;

  constructor(channels: number) {
    super();
    this.weight = new Parameter<Rank.R1>([channels], 1);
    this.bias = new Parameter<Rank.R1>([channels], 0);
    this.runningMean = new ModuleBuffer<Rank.R1>([channels], 0);
    this.runningVar = new ModuleBuffer<Rank.R1>([channels], 1);
  }

  /** Scale, shift and running statistics, as ops take them. */
  get tensors(): NormTensors {
    return {
      weight: this.weight.tensor,
      bias: this.bias.tensor,
      runningMean: this.runningMean.tensor,
      runningVar: this.runningVar.tensor,
    };
  }

  /** Normalises `x` `[B, H, W, C]`; in training mode the running statistics move. */
  override forward(x: Tensor4D, { residual, activation = "none" }: NormTail = {}): Tensor4D {
    const { training, epsilon, momentum } = this;
    if (training) this.numBatchesTracked.value++;
    return batchNorm(x, this.tensors, { training, epsilon, momentum, activation, residual });
  }
}
