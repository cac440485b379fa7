import { assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor, Tensor4D } from "@tensorflow/tfjs";
import { gradients, Parameter } from "../../src/nn/mod.ts";
import { conv2d } from "../../src/ops/mod.ts";
import { BACKENDS } from "../support/backends.ts";
import { assertNoLeak } from "../support/leaks.ts";

const withoutGradient = tf.customGrad((x) => ({
  value: tf.add(x as Tensor, 1),
  gradFunc: () => {
    throw new Error("no backward pass");
  },
}));

for (const backend of BACKENDS) {
  Deno.test({
    name: `gradients frees all that a failed pass has saved on ${backend.name}`,
    ignore: !backend.available,
    async fn() {
      await using _ = await backend.use();
      const weight = new Parameter<tf.Rank.R4>([3, 3, 3, 2], 0.5);
      const x = tf.randomNormal([1, 8, 8, 2]) as Tensor4D;
      const convolve = () => conv2d(x, weight.tensor, {}).square();
      const total = (y: Tensor) => ({ total: y.sum() as Scalar });
      const fails = (evaluate: () => { total: Scalar }, message: string) =>
        assertNoLeak(() => {
          assertThrows(() => gradients([weight], evaluate), Error, message);
        });
      fails(() => {
        convolve();
        throw new Error("no forward pass");
      }, "no forward pass");
      fails(() => total(withoutGradient(convolve())), "no backward pass");

      const { losses, gradients: found } = gradients([weight], () => total(convolve()));
      assertEquals(found.size, 1);
      tf.dispose([losses.total, ...found.values(), x, weight.tensor]);
    },
  });
}
