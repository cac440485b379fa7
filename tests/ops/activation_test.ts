import { assertEquals, assertStrictEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { activate, ActivationBackward } from "../../src/ops/activation.ts";
import { testOnBackends } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";
import { readGolden } from "../support/golden.ts";
import { assertNoLeak } from "../support/leaks.ts";

const layers = await readGolden("ops/layers");

for (const kind of ["relu", "relu6"] as const) {
  testOnBackends(`activate() equals PyTorch forward and backward, ${kind},`, () => {
    assertNoLeak(() =>
      tf.tidy(() => {
        const golden = (name: string) =>
          layers.tensor(`act.${kind}.${name}`).reshape<Tensor4D>([1, 6, 7, 1]);
        const { value, grad } = tf.valueAndGrad((x) => activate(x as Tensor4D, kind))(
          golden("x"),
          golden("grad_out"),
        );
        assertClose(value, golden("out"), { what: "y" });
        assertClose(grad, golden("grad_x"), { what: "dx" });
      })
    );
  });
}

testOnBackends("activate() has no gradient at its kinks and outside", () => {
  tf.tidy(() => {
    const x = tf.tensor4d([-1, 0, 1e-3, 5.9, 6, 7], [1, 1, 6, 1]);
    const slope = (kind: "relu" | "relu6") => tf.grad((x) => activate(x as Tensor4D, kind))(x);
    assertEquals([...slope("relu").dataSync()], [0, 0, 1, 1, 1, 1]);
    assertEquals([...slope("relu6").dataSync()], [0, 0, 1, 1, 0, 0]);
  });
});

testOnBackends("activate() passes on what is not a number", () => {
  tf.tidy(() => {
    const x = tf.tensor4d([NaN, -Infinity, Infinity], [1, 1, 3, 1]);
    assertEquals([...activate(x, "relu").dataSync()], [NaN, 0, Infinity]);
    assertEquals([...activate(x, "relu6").dataSync()], [NaN, 0, 6]);
  });
});

testOnBackends("activate() with none returns its input, and its backward pass dy", () => {
  tf.tidy(() => {
    const x = tf.tensor4d([-1, 2], [1, 1, 2, 1]);
    assertStrictEquals(activate(x, "none"), x);
    assertNoLeak(() => {
      const dx = ActivationBackward.run({ dy: x, y: x }, { kind: "none" });
      assertClose(dx, x);
      dx.dispose();
    });
    assertClose(x, [-1, 2]);
  });
});
