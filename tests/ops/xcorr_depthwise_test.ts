import { assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { XcorrDepthwise, xcorrDepthwise } from "../../src/ops/xcorr_depthwise.ts";
import { Rng } from "../../src/random.ts";
import { testOnBackends } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";
import { readGolden } from "../support/golden.ts";
import { assertGradientsMatch } from "../support/gradient_check.ts";
import { assertNoLeak } from "../support/leaks.ts";
import { randomTensor } from "../support/random_tensors.ts";

interface XcorrCase {
  readonly op: string;
  readonly prefix: string;
  readonly z: readonly number[];
}

const xcorr = await readGolden<{ cases: XcorrCase[] }>("ops/xcorr");
const cases = xcorr.json.cases.filter(({ op }) => op === "xcorr_depthwise");
const isSquare = ({ z: [, , height, width] }: XcorrCase) => height === width;

for (const { prefix } of cases.filter(isSquare)) {
  testOnBackends(`xcorrDepthwise() equals PyTorch forward and backward, ${prefix},`, () => {
    assertNoLeak(() =>
      tf.tidy(() => {
        const golden = (name: string) => xcorr.activations(`${prefix}.${name}`);
        const { value, grads: [dx, dz] } = tf.valueAndGrads((x, z) =>
          xcorrDepthwise(x as Tensor4D, z as Tensor4D)
        )([golden("x"), golden("z")], golden("grad_out"));
        assertClose(value, golden("out"), { what: "y" });
        assertClose(dx, golden("grad_x"), { what: "dx" });
        assertClose(dz, golden("grad_z"), { what: "dz" });
      })
    );
  });
}

// Templates are square in every network; kernels do not mind, and so show that axes are not swapped.
for (const { prefix } of cases.filter((entry) => !isSquare(entry))) {
  testOnBackends(`XcorrDepthwise equals PyTorch for a template not square, ${prefix},`, () => {
    tf.tidy(() => {
      const golden = (name: string) => xcorr.activations(`${prefix}.${name}`);
      const x = golden("x"), dy = golden("grad_out");
      const attrs = { padding: 0, flip: false };
      assertClose(XcorrDepthwise.run({ x, z: golden("z") }, attrs), golden("out"));
      assertClose(XcorrDepthwise.run({ x, z: dy }, attrs), golden("grad_z"));
    });
  });
}

for (const padding of [0, 1, 2]) {
  testOnBackends(`xcorrDepthwise() has the numerical gradient with padding ${padding}`, () => {
    tf.tidy(() => {
      const rng = new Rng(1);
      assertGradientsMatch(
        (x: Tensor4D, z: Tensor4D) => xcorrDepthwise(x, z, { padding }),
        [randomTensor(rng, [2, 6, 5, 3]), randomTensor(rng, [2, 3, 3, 3])],
        { step: 0.25 },
      );
    });
  });
}

testOnBackends("xcorrDepthwise() pads the search features with zeros", () => {
  tf.tidy(() => {
    const rng = new Rng(2);
    const x = randomTensor(rng, [2, 5, 6, 4]), z = randomTensor(rng, [2, 3, 3, 4]);
    const padded = x.pad<Tensor4D>([[0, 0], [1, 1], [1, 1], [0, 0]]);
    assertClose(xcorrDepthwise(x, z, { padding: 1 }), xcorrDepthwise(padded, z));
  });
});

testOnBackends("xcorrDepthwise() refuses batches or channels that differ", () => {
  tf.tidy(() => {
    const x = tf.zeros<tf.Rank.R4>([2, 5, 5, 3]);
    const refuse = (shape: [number, number, number, number], text: string) =>
      assertThrows(() => xcorrDepthwise(x, tf.zeros(shape)), RangeError, text);
    refuse([1, 3, 3, 3], "expected equal batch and channels");
    refuse([2, 3, 3, 4], "expected equal batch and channels");
    refuse([2, 6, 6, 3], "no larger than the search");
    refuse([2, 3, 2, 3], "expected a square one");
  });
});

testOnBackends("xcorrDepthwise() gives the response of SiamBAN", () => {
  tf.tidy(() => {
    const y = xcorrDepthwise(tf.ones([1, 29, 29, 8]), tf.ones([1, 5, 5, 8]));
    assertEquals(y.shape, [1, 25, 25, 8]);
    assertClose(y, new Float32Array(25 * 25 * 8).fill(25));
  });
});
