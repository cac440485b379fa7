import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import type { Collective } from "../collective.ts";
import { allReduced } from "./all_reduce.ts";
import { BatchNorm, type BatchNormAttributes, BatchNormBackward } from "./batch_norm.ts";
import type { NormTensors } from "./folded_conv2d.ts";

/** A normalised map, and the statistics of the batches of all ranks. */
export interface SyncNormed {
  readonly y: Tensor4D;
  /** `[C]`. */
  readonly mean: Tensor1D;
  /** Unbiased, `[C]`. */
  readonly variance: Tensor1D;
}

/** What {@linkcode syncBatchNorm} is told beside its tensors. */
export type SyncNormOptions = Omit<BatchNormAttributes, "training" | "momentum"> & {
  readonly collective: Collective;
  readonly residual?: Tensor4D;
};

/**
 * Batch normalisation in training mode over the batches of all ranks as if they were one
 * (`torch.nn.SyncBatchNorm`). The running statistics stay as they are; `norm`'s are not looked at.
 *
 * With means over all n = ranks · B·H·W values, g behind the activation and x̂ = (x − μ) / √(σ² + ε): dx = γ / √(σ² + ε) ·
 * (g − mean g − x̂ · mean(g·x̂)); the gradients of γ and β are this rank's own sums, as those of every other parameter.
 *
 * @param x `[B, H, W, C]`, of the same shape on all ranks.
 */
export function syncBatchNorm(
  x: Tensor4D,
  norm: Pick<NormTensors, "weight" | "bias">,
  { collective, residual, epsilon, activation }: SyncNormOptions,
): SyncNormed {
  const { weight, bias } = norm;
  const { mean, variance } = statistics(x, epsilon, collective);
  const attributes = { training: false, momentum: 0, epsilon, activation };
  const inputs: Tensor[] = [x, weight, bias, ...(residual ? [residual] : [])];
  const run = tf.customGrad((...args) => {
    const save = args.pop() as unknown as (tensors: Tensor[]) => void;
    const [x, weight, bias, residual] = args as Tensor[];
    const [y, usedMean, invStd] = BatchNorm.runAll({
      x: x as Tensor4D,
      weight: weight as Tensor1D,
      bias: bias as Tensor1D,
      runningMean: mean,
      runningVar: variance,
      residual: residual as Tensor4D | undefined,
    }, attributes);
    save([x, weight, y, usedMean, invStd]);
    return {
      value: y,
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const gradients = backward(dy as Tensor4D, saved, { attributes, collective });
        return gradients.slice(0, inputs.length);
      },
    };
  });
  const y = run(...inputs) as Tensor4D;
  const [batch, height, width] = x.shape;
  const n = batch * height * width * collective.size;
  return { y, mean, variance: variance.mul(n / (n - 1)) };
}

/** Mean and biased variance over all ranks, `[C]`; two sums, so that nothing cancels out. */
function statistics(x: Tensor4D, epsilon: number, collective: Collective) {
  return tf.tidy(() => {
    const channels = x.shape[3];
    // A throw-away norm measures this rank's batch.
    const [, own, invStd] = BatchNorm.runAll({
      x,
      weight: tf.ones([channels]),
      bias: tf.zeros([channels]),
      runningMean: tf.zeros([channels]),
      runningVar: tf.zeros([channels]),
      residual: undefined,
    }, { training: true, momentum: 0, epsilon, activation: "none" });
    const meanOf = (tensor: Tensor) =>
      allReduced(tensor, collective).div<Tensor1D>(collective.size);
    const mean = meanOf(own);
    const within = invStd.square().reciprocal().sub(epsilon);
    return { mean, variance: meanOf(within.add(own.sub(mean).square())) };
  });
}

function backward(
  dy: Tensor4D,
  [x, weight, y, mean, invStd]: Tensor[],
  { attributes, collective }: {
    readonly attributes: BatchNormAttributes;
    readonly collective: Collective;
  },
): Tensor[] {
  const [direct, dweight, dbias, dresidual] = BatchNormBackward.runAll({
    dy,
    x: x as Tensor4D,
    y: y as Tensor4D,
    weight: weight as Tensor1D,
    mean: mean as Tensor1D,
    invStd: invStd as Tensor1D,
  }, attributes);
  const dx = tf.tidy(() => {
    const [batch, height, width] = x.shape;
    const n = batch * height! * width! * collective.size;
    const scale = weight.mul(invStd).div(n);
    const slope = scale.mul(invStd).mul(allReduced(dweight, collective));
    const offset = scale.mul(allReduced(dbias, collective)).sub(slope.mul(mean));
    return direct.sub(x.mul(slope)).sub<Tensor4D>(offset);
  });
  direct.dispose();
  return [dx, dweight, dbias, dresidual];
}
