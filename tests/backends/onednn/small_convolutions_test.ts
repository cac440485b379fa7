import type { Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import { assert } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { AnyActivationKind } from "../../../src/ops/activation.ts";
import {
  Conv2dBackwardInput,
  Conv2dBackwardWeight,
  type ConvGeometry,
  convGeometry,
  convOutputShape,
} from "../../../src/ops/conv2d.ts";
import { foldedConv2d } from "../../../src/ops/folded_conv2d.ts";
import type { Rng } from "../../../src/random.ts";
import { choose, randomTensor } from "../../support/random_tensors.ts";
import { testAgainstReference, testNative } from "./against_reference.ts";

/** Sides of images, beside and at the widths that kernels work in. */
const side = (rng: Rng) => 1 + rng.integer(choose(rng, 4, 10, 20, 40));

testAgainstReference("A depthwise convolution", (rng) => {
  const kernel = choose(rng, 2, 3, 4, 5), channels = 1 + rng.integer(70);
  const padding = rng.integer(kernel);
  const geometry = convGeometry({ stride: choose(rng, 1, 2), padding, groups: channels });
  const least = Math.max(1, kernel - 2 * padding) - 1;
  const x = randomTensor(rng, [1 + rng.integer(9), least + side(rng), least + side(rng), channels]);
  const weight = randomTensor(rng, [channels, kernel, kernel, 1]);
  return convolve(rng, { x, weight, geometry });
}, { seeds: 60, tolerance: 3e-6 });

testAgainstReference("A convolution of few channels", (rng) => {
  const height = choose(rng, 1, 2, 3, 5, 7), width = choose(rng, 1, 2, 3, 5, 7);
  const padding = rng.integer(Math.min(height, width));
  const geometry = convGeometry({ stride: choose(rng, 1, 2, 3), padding });
  const rows = Math.max(1, height - 2 * padding) - 1 + side(rng);
  const columns = Math.max(1, width - 2 * padding) - 1 + side(rng);
  const x = randomTensor(rng, [1 + rng.integer(9), rows, columns, 1 + rng.integer(4)]);
  const weight = randomTensor(rng, [
    1 + rng.integer(choose(rng, 16, 40)),
    height,
    width,
    x.shape[3],
  ]);
  return convolve(rng, { x, weight, geometry });
}, { seeds: 60, tolerance: 3e-6 });

testAgainstReference("A small 1 x 1 convolution", (rng) => {
  const x = randomTensor(rng, [1 + rng.integer(9), side(rng), side(rng), 1 + rng.integer(150)]);
  const weight = randomTensor(rng, [1 + rng.integer(150), 1, 1, x.shape[3]]);
  return convolve(rng, { x, weight, geometry: convGeometry({}) });
}, { seeds: 60, tolerance: 3e-6 });

testNative("What is not a number stays so in small convolutions, whatever they activate", () => {
  tf.tidy(() => {
    const x = tf.fill([1, 4, 4, 3], NaN) as Tensor4D;
    for (const groups of [1, 3]) {
      for (const activation of ["relu", "relu6", "hard_swish"] as const) {
        const weight = tf.ones<tf.Rank.R4>([3, 3, 3, 3 / groups]);
        const options = { ...convGeometry({ groups }), activation, epsilon: 0 };
        const y = foldedConv2d(x, weight, options).dataSync();
        assert(y.every(Number.isNaN), `${activation} made ${y[0]} of NaN`);
      }
    }
  });
});

/** Both gradients, of shapes beside and at the widths that kernels work in. */
testAgainstReference("A gradient of a depthwise convolution", (rng) => {
  const kernel = choose(rng, 3, 5, 5, 5), channels = 1 + rng.integer(70);
  const padding = rng.integer(kernel);
  const geometry = convGeometry({ stride: choose(rng, 1, 2), padding, groups: channels });
  const least = Math.max(1, kernel - 2 * padding) - 1;
  const x = [1 + rng.integer(9), least + side(rng), least + side(rng), channels] as const;
  return differentiate(rng, { x, weight: [channels, kernel, kernel, 1], geometry });
}, { seeds: 60, tolerance: 5e-6 });

testAgainstReference("A gradient of a small 1 x 1 convolution", (rng) => {
  const x = [1 + rng.integer(9), side(rng), side(rng), 1 + rng.integer(150)] as const;
  const weight = [1 + rng.integer(150), 1, 1, x[3]] as const;
  return differentiate(rng, { x, weight, geometry: convGeometry({}) });
}, { seeds: 60, tolerance: 5e-6 });

function differentiate(
  rng: Rng,
  { x: xShape, weight: weightShape, geometry }: {
    readonly x: readonly [number, number, number, number];
    readonly weight: readonly [number, number, number, number];
    readonly geometry: ConvGeometry;
  },
) {
  const x = randomTensor<Tensor4D>(rng, xShape), weight = randomTensor<Tensor4D>(rng, weightShape);
  const dy = randomTensor<Tensor4D>(rng, convOutputShape(xShape, weightShape, geometry));
  const [, height, width] = xShape, [, kernelHeight, kernelWidth] = weightShape;
  const bySize = { ...geometry, kernelHeight, kernelWidth };
  return {
    dx: Conv2dBackwardInput.run({ dy, weight }, { ...geometry, height, width }),
    dweight: Conv2dBackwardWeight.run({ dy, x }, bySize),
  };
}

/** With and without what may follow a convolution. */
function convolve(
  rng: Rng,
  { x, weight, geometry }: {
    readonly x: Tensor4D;
    readonly weight: Tensor4D;
    readonly geometry: ConvGeometry;
  },
) {
  const activation = choose<AnyActivationKind>(rng, "none", "relu", "relu6", "hard_swish");
  const options = { ...geometry, activation, epsilon: 1e-5 };
  const bias = randomTensor<Tensor1D>(rng, [weight.shape[0]]);
  const residual = randomTensor(rng, convOutputShape(x.shape, weight.shape, options));
  return {
    plain: foldedConv2d(x, weight, { ...options, activation: "none" }),
    activated: foldedConv2d(x, weight, { ...options, bias }),
    withResidual: foldedConv2d(x, weight, { ...options, bias, residual }),
  };
}
