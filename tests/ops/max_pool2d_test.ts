import { assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { maxPool2d } from "../../src/ops/max_pool2d.ts";
import { Rng } from "../../src/random.ts";
import { testOnBackends } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";
import { readGolden } from "../support/golden.ts";
import { assertGradientsMatch } from "../support/gradient_check.ts";
import { assertNoLeak } from "../support/leaks.ts";
import { distinctTensor } from "../support/random_tensors.ts";

interface PoolCase {
  readonly prefix: string;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly ties: boolean;
}

const layers = await readGolden<{ max_pool: PoolCase[] }>("ops/layers");

for (const { prefix, kernel, stride, padding, ties } of layers.json.max_pool) {
  const name = ties ? `${prefix} with ties` : prefix;
  testOnBackends(`maxPool2d() equals PyTorch forward and backward, ${name},`, () => {
    assertNoLeak(() =>
      tf.tidy(() => {
        const { value, grad } = tf.valueAndGrad((x) =>
          maxPool2d(x as Tensor4D, { kernel, stride, padding })
        )(layers.activations(`${prefix}.x`), layers.activations(`${prefix}.grad_out`));
        assertClose(value, layers.activations(`${prefix}.out`), { what: "y" });
        assertClose(grad, layers.activations(`${prefix}.grad_x`), { what: "dx" });
      })
    );
  });
}

testOnBackends("maxPool2d() has the numerical gradient", () => {
  tf.tidy(() => {
    const x = distinctTensor(new Rng(1), [2, 7, 6, 3]);
    const pool = (x: Tensor4D) => maxPool2d(x, { kernel: 3, stride: 2, padding: 1 });
    assertGradientsMatch(pool, [x]);
  });
});

testOnBackends("maxPool2d() lets no padding win over negative values", () => {
  tf.tidy(() => {
    const x = tf.fill<tf.Rank.R4>([1, 3, 3, 2], -5);
    const y = maxPool2d(x, { kernel: 3, stride: 2, padding: 1 });
    assertEquals([...y.dataSync()], new Array(8).fill(-5));
  });
});

testOnBackends("maxPool2d() gives the first of equal values the whole gradient", () => {
  tf.tidy(() => {
    const x = tf.fill<tf.Rank.R4>([1, 3, 3, 1], -Infinity);
    const grad = tf.grad((x) => maxPool2d(x as Tensor4D, { kernel: 3, stride: 1, padding: 0 }))(x);
    assertEquals([...grad.dataSync()], [1, 0, 0, 0, 0, 0, 0, 0, 0]);
  });
});

testOnBackends("maxPool2d() refuses a window larger than the padded image", () => {
  tf.tidy(() => {
    const x = tf.zeros<tf.Rank.R4>([1, 2, 5, 1]);
    assertThrows(
      () => maxPool2d(x, { kernel: 3, stride: 2, padding: 0 }),
      RangeError,
      "input is 2 x 5, expected at least the window of 3",
    );
  });
});
