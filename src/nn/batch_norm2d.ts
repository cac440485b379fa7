import * as tf from "@tensorflow/tfjs";
import type { Rank, Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import { ALONE, type Collective } from "../collective.ts";
import {
  type ActivationKind,
  batchNorm,
  type NormTensors,
  sgdUpdate,
  syncBatchNorm,
} from "../ops/mod.ts";
import { Layer, type Module, modules, type Sequence } from "./module.ts";
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
  /** Ranks whose batches are normalised as one in training; set through {@linkcode synchronizeNorms}. */
  collective?: Collective;

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
    if (training && this.collective) {
      return this.#synchronized(x, { collective: this.collective, residual, activation });
    }
    return batchNorm(x, this.tensors, { training, epsilon, momentum, activation, residual });
  }

  #synchronized(
    x: Tensor4D,
    { collective, residual, activation = "none" }: NormTail & { readonly collective: Collective },
  ): Tensor4D {
    const { epsilon, momentum, runningMean, runningVar } = this;
    const { y, mean, variance } = syncBatchNorm(x, this.tensors, {
      collective,
      residual,
      epsilon,
      activation,
    });
    blend([[runningMean.tensor, mean], [runningVar.tensor, variance]], momentum);
    return y;
  }
}

/**
 * Moves running statistics towards those of a batch, on the device, so that a recorded step does it again. As
 * in the op one bad batch must not spoil the network: an update leaves all as it was where a gradient, here
 * the way to go, is not finite.
 */
function blend(
  pairs: readonly (readonly [running: Tensor1D, batch: Tensor1D])[],
  momentum: number,
) {
  tf.tidy(() => {
    const entries = pairs.map(([parameter, batch]) => ({
      parameter,
      gradient: parameter.sub(batch),
      velocity: tf.zerosLike(parameter),
      learningRate: momentum,
    }));
    const options = { momentum: 0, weightDecay: 0, clipNorm: 0, maxLoss: Infinity };
    sgdUpdate(entries, { ...options, loss: tf.scalar(0) });
  });
  for (const [, batch] of pairs) batch.dispose();
}

/**
 * Has all batch norms of a network keep their running statistics and normalise by them from here on, in
 * training too, where weight and bias go on learning. Of several ranks those of rank 0 are kept.
 *
 * Shared weights see templates and searches by turns, each normalised by itself, and the running statistics
 * are those of both. A network that learns from nothing meets them at last when it tracks, and classifies
 * worse for it; so it learns to live with them before its training ends.
 */
export function freezeNorms(root: Module | Sequence, collective: Collective = ALONE): void {
  for (const module of modules(root)) {
    if (!(module instanceof BatchNorm2d)) continue;
    module.training = false;
    if (collective.size === 1) continue;
    for (const buffer of [module.runningMean, module.runningVar]) {
      const values = Float32Array.from(buffer.tensor.dataSync());
      collective.broadcast(new Uint8Array(values.buffer));
      buffer.overwrite(values);
    }
  }
}

/**
 * Makes all batch norms of a network in training take the batches of all ranks as one
 * (`torch.nn.SyncBatchNorm.convert_sync_batchnorm`).
 */
export function synchronizeNorms(root: Module | Sequence, collective: Collective): void {
  for (const module of modules(root)) {
    if (module instanceof BatchNorm2d) module.collective = collective;
  }
}
