import { assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import {
  conv2d,
  Conv2dBackwardInput,
  Conv2dBackwardWeight,
  convGeometry,
  convOutputSize,
} from "../../src/ops/conv2d.ts";
import { Rng } from "../../src/random.ts";
import { testOnBackends } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";
import { readGolden } from "../support/golden.ts";
import { assertGradientsMatch } from "../support/gradient_check.ts";
import { assertNoLeak } from "../support/leaks.ts";
import { plainConv2d } from "../support/plain_conv2d.ts";
import { randomConvolution } from "../support/random_convolutions.ts";
import { randomTensor } from "../support/random_tensors.ts";

interface ConvCase {
  readonly prefix: string;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
  readonly groups: number;
  readonly bias: boolean;
}

const layers = await readGolden<{ conv2d: ConvCase[] }>("ops/layers");

for (const { prefix, bias: hasBias, ...rest } of layers.json.conv2d) {
  const { stride, padding, dilation, groups } = rest;
  const options = { stride, padding, dilation, groups };
  testOnBackends(`conv2d() equals PyTorch forward and backward, ${prefix},`, () => {
    assertNoLeak(() =>
      tf.tidy(() => {
        const inputs: Tensor[] = [
          layers.activations(`${prefix}.x`),
          layers.filters(`${prefix}.weight`),
        ];
        if (hasBias) inputs.push(layers.tensor(`${prefix}.bias`));
        const { value, grads: [dx, dweight, dbias] } = tf.valueAndGrads((x, weight, bias?) =>
          conv2d(x as Tensor4D, weight as Tensor4D, { ...options, bias: bias as Tensor1D })
        )(inputs, layers.activations(`${prefix}.grad_out`));
        assertClose(value, layers.activations(`${prefix}.out`), { what: "y" });
        assertClose(dx, layers.activations(`${prefix}.grad_x`), { what: "dx" });
        assertClose(dweight, layers.filters(`${prefix}.grad_weight`), { what: "dweight" });
        if (hasBias) assertClose(dbias, layers.tensor(`${prefix}.grad_bias`), { what: "dbias" });
      })
    );
  });
}

testOnBackends("conv2d() equals its definition for random shapes", () => {
  for (let seed = 0; seed < 60; seed++) {
    tf.tidy(() => {
      const { x, weight, bias, options } = randomConvolution(new Rng(1, seed));
      const expected = plainConv2d(
        { shape: x.shape, values: x.dataSync() },
        { shape: weight.shape, values: weight.dataSync() },
        convGeometry(options),
      );
      const offsets = bias.dataSync();
      const what = `[${x.shape}] by [${weight.shape}], ${JSON.stringify(options)}`;
      assertClose(conv2d(x, weight, options).dataSync(), expected, { what });
      const shifted = expected.map((value, i) => value + offsets[i % offsets.length]);
      assertClose(conv2d(x, weight, { ...options, bias }).dataSync(), shifted, { what });
    });
  }
});

// A convolution is linear in x and in the weight, so <dy, y> = <dx, x> = <dweight, weight>.
testOnBackends("conv2d() has backward passes adjoint to it for random shapes", () => {
  for (let seed = 0; seed < 60; seed++) {
    tf.tidy(() => {
      const rng = new Rng(2, seed);
      const { x, weight, options } = randomConvolution(rng);
      const geometry = convGeometry(options);
      const y = conv2d(x, weight, options);
      const dy = randomTensor(rng, y.shape);
      const dx = Conv2dBackwardInput.run(
        { dy, weight },
        { ...geometry, height: x.shape[1], width: x.shape[2] },
      );
      const dweight = Conv2dBackwardWeight.run(
        { dy, x },
        { ...geometry, kernelHeight: weight.shape[1], kernelWidth: weight.shape[2] },
      );
      const expected = dot(dy, y);
      const scale = norm(dy) * norm(y); // rounding is relative to this, not to the sum
      const what = `[${x.shape}] by [${weight.shape}], ${JSON.stringify(options)}`;
      assertClose(dot(dx, x) / scale, expected / scale, { tolerance: 1e-5, what });
      assertClose(dot(dweight, weight) / scale, expected / scale, { tolerance: 1e-5, what });
    });
  }
});

for (
  const [name, options] of [
    ["dense", {}],
    ["strided, padded", { stride: 2, padding: 1 }],
    ["dilated", { dilation: 2, padding: 2 }],
    ["grouped", { groups: 2, padding: 1 }],
    ["depthwise", { groups: 4, stride: 2, padding: 1 }],
  ] as const
) {
  testOnBackends(`conv2d() has the numerical gradient, ${name},`, () => {
    const rng = new Rng(3);
    const groups = "groups" in options ? options.groups : 1;
    const x = randomTensor(rng, [2, 6, 5, 4]);
    const weight = randomTensor(rng, [4, 3, 3, 4 / groups]);
    const bias = randomTensor<Tensor1D>(rng, [4]);
    assertGradientsMatch(
      (x: Tensor4D, weight: Tensor4D, bias: Tensor1D) => conv2d(x, weight, { ...options, bias }),
      [x, weight, bias],
      { step: 0.25 },
    );
    tf.dispose([x, weight, bias]);
  });
}

testOnBackends("conv2d() refuses channels that do not fit the groups", () => {
  tf.tidy(() => {
    const x = tf.zeros<tf.Rank.R4>([1, 5, 5, 6]);
    assertThrows(
      () => conv2d(x, tf.zeros([4, 3, 3, 6]), { groups: 2 }),
      RangeError,
      "input is [1,5,5,6] and weight is [4,3,3,6] with 2 groups, expected 12 input channels",
    );
    assertThrows(
      () => conv2d(x, tf.zeros([3, 3, 3, 3]), { groups: 2 }),
      RangeError,
      "a multiple of 2 filters",
    );
  });
});

testOnBackends("conv2d() refuses a filter larger than the padded input", () => {
  tf.tidy(() => {
    const x = tf.zeros<tf.Rank.R4>([1, 5, 5, 2]);
    const weight = tf.zeros<tf.Rank.R4>([2, 3, 3, 2]);
    assertThrows(() => conv2d(x, weight, { dilation: 3 }), RangeError, "with dilation 3");
    conv2d(x, weight, { dilation: 3, padding: 1 });
  });
});

Deno.test("convOutputSize() gives SiamBAN's feature sizes", () => {
  const dense = { padding: 0, dilation: 1 };
  assertEquals(convOutputSize(255, 7, { ...dense, stride: 2 }), 125);
  assertEquals(convOutputSize(31, 3, { stride: 1, padding: 4, dilation: 4 }), 31);
});

function dot(a: Tensor, b: Tensor): number {
  const x = a.dataSync(), y = b.dataSync();
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  return sum;
}

function norm(a: Tensor): number {
  return Math.sqrt(dot(a, a));
}
