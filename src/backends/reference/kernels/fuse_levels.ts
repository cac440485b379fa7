import type { TensorInfo } from "@tensorflow/tfjs";
import type { KernelInputs, OpInputs } from "../../../ops/define_op.ts";
import { type FuseAttributes, FuseLevels, FuseLevelsBackward } from "../../../ops/fuse_levels.ts";
import type { ReferenceBackend } from "../backend.ts";

export const fuseLevelsReference = FuseLevels.kernel(
  "reference",
  (backend: ReferenceBackend, inputs, attributes) => {
    const { maps, shares, scales } = operands(backend, inputs, attributes);
    const y = backend.empty(inputs.map0!.shape);
    const sums = new Float64Array(maps[0].length);
    maps.forEach((map, i) => {
      for (let n = 0; n < sums.length; n++) {
        const scaled = scales[i] * map[n];
        sums[n] += shares[i] * (attributes.exponential ? Math.exp(scaled) : scaled);
      }
    });
    backend.floats(y).set(sums);
    return y;
  },
);

export const fuseLevelsBackwardReference = FuseLevelsBackward.kernel(
  "reference",
  (backend: ReferenceBackend, { dy, ...inputs }, attributes) => {
    const { levels, exponential } = attributes;
    const { maps, shares, scales } = operands(backend, inputs, attributes);
    const gradient = backend.floats(dy);
    const byShare = new Float64Array(levels), byScale = new Float64Array(levels);
    const dmaps = maps.map((map, i) => {
      const dmap = backend.empty(dy.shape);
      const out = backend.floats(dmap);
      for (let n = 0; n < map.length; n++) {
        const value = exponential ? Math.exp(scales[i] * map[n]) : scales[i] * map[n];
        const byScaled = gradient[n] * shares[i] * (exponential ? value : 1);
        byShare[i] += gradient[n] * value;
        byScale[i] += byScaled * map[n];
        out[n] = byScaled * scales[i];
      }
      return dmap;
    });
    const mean = byShare.reduce((sum, value, i) => sum + shares[i] * value, 0);
    const vector = (values: Float64Array): TensorInfo => {
      const tensor = backend.empty([levels]);
      backend.floats(tensor).set(values);
      return tensor;
    };
    const dweight = byShare.map((value, i) => shares[i] * (value - mean));
    return [
      ...dmaps,
      ...(inputs.weight ? [vector(dweight)] : []),
      ...(inputs.scale ? [vector(byScale)] : []),
    ];
  },
);

function operands(
  backend: ReferenceBackend,
  { weight, scale, ...maps }: KernelInputs<OpInputs>,
  { levels }: FuseAttributes,
) {
  return {
    maps: Array.from({ length: levels }, (_, i) => backend.floats(maps[`map${i}`]!)),
    shares: weight
      ? softmax(Float64Array.from(backend.floats(weight)))
      : new Float64Array(levels).fill(1 / levels),
    scales: scale ? backend.floats(scale) : new Float32Array(levels).fill(1),
  };
}

function softmax(values: Float64Array): Float64Array {
  const largest = Math.max(...values);
  const exponentials = values.map((value) => Math.exp(value - largest));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}
