import { BatchNorm, BatchNormBackward } from "../../../ops/batch_norm.ts";
import type { ReferenceBackend } from "../backend.ts";
import { activateInPlace, gradientBehind } from "./activation.ts";

export const batchNormReference = BatchNorm.kernel(
  "reference",
  (backend: ReferenceBackend, { x, weight, bias, runningMean, runningVar, residual }, options) => {
    const values = backend.floats(x);
    const running: Moments = {
      mean: backend.floats(runningMean),
      variance: backend.floats(runningVar),
    };
    const used = options.training ? batchMoments(values, x.shape[3]) : running;
    if (options.training) {
      updateRunning(running, used, { ...options, count: values.length / x.shape[3] });
      backend.touch(runningMean);
      backend.touch(runningVar);
    }
    const y = backend.empty(x.shape);
    const mean = backend.empty(weight.shape);
    const invStd = backend.empty(weight.shape);
    backend.floats(mean).set(used.mean);
    backend.floats(invStd).set(
      Float64Array.from(used.variance, (variance) => 1 / Math.sqrt(variance + options.epsilon)),
    );
    normalise(backend.floats(y), values, {
      scale: backend.floats(weight),
      shift: backend.floats(bias),
      mean: used.mean,
      invStd: backend.floats(invStd),
      residual: residual && backend.floats(residual),
    });
    activateInPlace(backend.floats(y), options.activation);
    return [y, mean, invStd];
  },
);

export const batchNormBackwardReference = BatchNormBackward.kernel(
  "reference",
  (backend: ReferenceBackend, { dy, x, y, weight, mean, invStd }, { training, activation }) => {
    let dresidual = dy;
    if (activation === "none") {
      dresidual = backend.share(dy);
    } else {
      dresidual = backend.empty(dy.shape);
      gradientBehind(
        backend.floats(dresidual),
        backend.floats(dy),
        backend.floats(y),
        activation,
      );
    }
    const g = backend.floats(dresidual);
    const norm = {
      x: backend.floats(x),
      mean: backend.floats(mean),
      invStd: backend.floats(invStd),
    };
    const { dweight, dbias } = parameterGradients(g, norm);
    const dx = backend.empty(x.shape);
    inputGradient(backend.floats(dx), g, {
      ...norm,
      weight: backend.floats(weight),
      dweight,
      dbias,
      training,
    });
    const dweightOut = backend.empty(weight.shape);
    const dbiasOut = backend.empty(weight.shape);
    backend.floats(dweightOut).set(dweight);
    backend.floats(dbiasOut).set(dbias);
    return [dx, dweightOut, dbiasOut, dresidual];
  },
);

interface Moments {
  readonly mean: Float32Array | Float64Array;
  /** The biased variance for batch statistics. */
  readonly variance: Float32Array | Float64Array;
}

function batchMoments(x: Float32Array, channels: number): Moments {
  const count = x.length / channels;
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  for (let at = 0; at < x.length; at += channels) {
    for (let c = 0; c < channels; c++) mean[c] += x[at + c];
  }
  for (let c = 0; c < channels; c++) mean[c] /= count;
  // A second pass, because the mean of squares minus the square of the mean cancels.
  for (let at = 0; at < x.length; at += channels) {
    for (let c = 0; c < channels; c++) {
      const difference = x[at + c] - mean[c];
      variance[c] += difference * difference;
    }
  }
  for (let c = 0; c < channels; c++) variance[c] /= count;
  return { mean, variance };
}

function updateRunning(
  running: Moments,
  batch: Moments,
  { momentum, count }: { readonly momentum: number; readonly count: number },
): void {
  const unbias = count / (count - 1);
  for (let c = 0; c < batch.mean.length; c++) {
    const mean = Math.fround(batch.mean[c]);
    const variance = Math.fround(batch.variance[c] * unbias);
    if (!Number.isFinite(mean) || !Number.isFinite(variance)) continue;
    running.mean[c] = (1 - momentum) * running.mean[c] + momentum * mean;
    running.variance[c] = (1 - momentum) * running.variance[c] + momentum * variance;
  }
}

function normalise(
  y: Float32Array,
  x: Float32Array,
  { scale, shift, mean, invStd, residual }: {
    readonly scale: Float32Array;
    readonly shift: Float32Array;
    readonly mean: Moments["mean"];
    readonly invStd: Float32Array;
    readonly residual?: Float32Array;
  },
): void {
  const channels = scale.length;
  const factor = Float64Array.from(scale, (gamma, c) => gamma * invStd[c]);
  const offset = Float64Array.from(shift, (beta, c) => beta - mean[c] * factor[c]);
  for (let at = 0; at < y.length; at += channels) {
    for (let c = 0; c < channels; c++) y[at + c] = x[at + c] * factor[c] + offset[c];
  }
  if (!residual) return;
  for (let i = 0; i < y.length; i++) y[i] += residual[i];
}

interface Normalised {
  readonly x: Float32Array;
  readonly mean: Float32Array;
  readonly invStd: Float32Array;
}

/** dbias = Σg and dweight = Σ g·x̂. */
function parameterGradients(g: Float32Array, { x, mean, invStd }: Normalised) {
  const channels = mean.length;
  const dbias = new Float64Array(channels);
  const dweight = new Float64Array(channels);
  for (let at = 0; at < g.length; at += channels) {
    for (let c = 0; c < channels; c++) {
      dbias[c] += g[at + c];
      dweight[c] += g[at + c] * (x[at + c] - mean[c]);
    }
  }
  for (let c = 0; c < channels; c++) dweight[c] *= invStd[c];
  return { dweight, dbias };
}

/** γ · invStd · (g − dbias / n − x̂ · dweight / n), as a linear function of g and x in each channel. */
function inputGradient(
  dx: Float32Array,
  g: Float32Array,
  { x, mean, invStd, weight, dweight, dbias, training }: Normalised & {
    readonly weight: Float32Array;
    readonly dweight: Float64Array;
    readonly dbias: Float64Array;
    readonly training: boolean;
  },
): void {
  const channels = mean.length;
  const count = g.length / channels;
  const scale = Float64Array.from(weight, (gamma, c) => gamma * invStd[c]);
  const slope = scale.map((s, c) => training ? s * invStd[c] * dweight[c] / count : 0);
  const offset = scale.map((s, c) => training ? s * dbias[c] / count : 0);
  for (let at = 0; at < g.length; at += channels) {
    for (let c = 0; c < channels; c++) {
      dx[at + c] = g[at + c] * scale[c] - (x[at + c] - mean[c]) * slope[c] - offset[c];
    }
  }
}
