import { grads } from "@tensorflow/tfjs";
import type { Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import { conv2d, convGeometry, convOutputSize } from "../../../../src/ops/conv2d.ts";
import type { Rng } from "../../../../src/random.ts";
import { choose, randomTensor } from "../../../support/random_tensors.ts";
import type { Results } from "../../../support/results.ts";
import { testAgainstReference } from "../against_reference.ts";

testAgainstReference("Conv2d of odd sizes, strides, dilations and groups", randomConvolution, {
  seeds: 40,
});

testAgainstReference("Conv2d depthwise", (rng) => {
  const channels = choose(rng, 3, 8, 16, 37);
  return allPasses(rng, {
    batch: 2,
    size: 9 + rng.integer(6),
    kernel: choose(rng, 3, 5),
    groups: channels,
    groupChannels: 1,
    groupFilters: 1,
    options: { stride: choose(rng, 1, 2), padding: choose(rng, 0, 1, 2) },
  });
});

testAgainstReference("Conv2d of network width", (rng) =>
  allPasses(rng, {
    batch: 2,
    size: choose(rng, 7, 15),
    kernel: choose(rng, 1, 3),
    groups: 1,
    groupChannels: choose(rng, 64, 128),
    groupFilters: choose(rng, 64, 256),
    options: { padding: 1, dilation: choose(rng, 1, 2), stride: choose(rng, 1, 2) },
  }), { seeds: 6 });

function randomConvolution(rng: Rng): Results {
  const kernel = choose(rng, 1, 2, 3, 5, 7);
  const dilation = kernel === 1 ? 1 : choose(rng, 1, 1, 2, 3);
  return allPasses(rng, {
    batch: 1 + rng.integer(9),
    size: dilation * (kernel - 1) + 1 + rng.integer(12),
    kernel,
    groups: choose(rng, 1, 1, 1, 2, 3),
    groupChannels: choose(rng, 1, 3, 4, 5, 16),
    groupFilters: choose(rng, 1, 2, 4, 7, 16),
    options: { stride: choose(rng, 1, 1, 2, 3), padding: rng.integer(kernel), dilation },
  });
}

interface Case {
  readonly batch: number;
  readonly size: number;
  readonly kernel: number;
  readonly groups: number;
  readonly groupChannels: number;
  readonly groupFilters: number;
  readonly options: {
    readonly stride?: number;
    readonly padding?: number;
    readonly dilation?: number;
  };
}

function allPasses(rng: Rng, { batch, size, kernel, groups, ...widths }: Case): Results {
  const channels = groups * widths.groupChannels, filters = groups * widths.groupFilters;
  const geometry = convGeometry({ ...widths.options, groups });
  // Not square, so that rows and columns cannot be mixed up.
  const x = randomTensor(rng, [batch, size, size + 1, channels]);
  const weight = randomTensor(rng, [filters, kernel, kernel, widths.groupChannels]);
  const bias = randomTensor<Tensor1D>(rng, [filters]);
  const dy = randomTensor(rng, [
    batch,
    convOutputSize(size, kernel, geometry),
    convOutputSize(size + 1, kernel, geometry),
    filters,
  ]);
  const convolve = (x: Tensor4D, weight: Tensor4D, bias: Tensor1D) =>
    conv2d(x, weight, { ...geometry, bias });
  const [dx, dweight, dbias] = grads(convolve as Parameters<typeof grads>[0])(
    [x, weight, bias],
    dy,
  );
  return {
    y: convolve(x, weight, bias),
    plain: conv2d(x, weight, geometry),
    dx,
    dweight,
    dbias,
  };
}
