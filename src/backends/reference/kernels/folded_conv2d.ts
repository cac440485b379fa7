import { FoldedConv2d } from "../../../ops/folded_conv2d.ts";
import type { ReferenceBackend } from "../backend.ts";
import { activateInPlace } from "./activation.ts";
import { convolve } from "./conv2d.ts";
import { planConvolution } from "./patches.ts";

/** Folds the norm at every call: next to the convolution that costs nothing here. */
export const foldedConv2dReference = FoldedConv2d.kernel(
  "reference",
  (backend: ReferenceBackend, inputs, { activation, epsilon, ...geometry }) => {
    const { x, weight, bias, normWeight, normBias, runningMean, runningVar, residual } = inputs;
    const plan = planConvolution(x.shape, weight.shape, geometry);
    let filter: Float32Array | Float64Array = backend.floats(weight);
    let shift: Float32Array | Float64Array | undefined = bias && backend.floats(bias);
    if (normWeight && normBias && runningMean && runningVar) {
      const scale = normScale(backend.floats(normWeight), backend.floats(runningVar), epsilon);
      const mean = backend.floats(runningMean);
      const beta = backend.floats(normBias);
      const before = shift;
      shift = scale.map((s, o) => ((before?.[o] ?? 0) - mean[o]) * s + beta[o]);
      filter = scaleFilters(filter, scale);
    }
    const y = backend.empty(plan.outShape);
    const values = backend.floats(y);
    convolve(values, { x: backend.floats(x), weight: filter, bias: shift }, plan);
    if (residual) addTo(values, backend.floats(residual));
    activateInPlace(values, activation);
    return y;
  },
);

/** γ / √(σ² + ε), per filter. */
function normScale(weight: Float32Array, variance: Float32Array, epsilon: number): Float64Array {
  return Float64Array.from(weight, (gamma, o) => gamma / Math.sqrt(variance[o] + epsilon));
}

function scaleFilters(weight: Float32Array, scale: Float64Array): Float64Array {
  const depth = weight.length / scale.length;
  const scaled = new Float64Array(weight.length);
  for (let o = 0; o < scale.length; o++) {
    for (let k = o * depth; k < (o + 1) * depth; k++) scaled[k] = weight[k] * scale[o];
  }
  return scaled;
}

function addTo(y: Float32Array, residual: Float32Array): void {
  for (let i = 0; i < y.length; i++) y[i] += residual[i];
}
