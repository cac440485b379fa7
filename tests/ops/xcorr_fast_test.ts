import { assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { xcorrFast } from "../../src/ops/xcorr_fast.ts";
import { Rng } from "../../src/random.ts";
import { testOnBackends } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";
import { readGolden } from "../support/golden.ts";
import { assertGradientsMatch } from "../support/gradient_check.ts";
import { assertNoLeak } from "../support/leaks.ts";
import { randomTensor } from "../support/random_tensors.ts";

const xcorr = await readGolden<{ cases: { op: string; prefix: string }[] }>("ops/xcorr");

for (const { op, prefix } of xcorr.json.cases) {
  if (op === "xcorr_depthwise") continue;
  testOnBackends(`xcorrFast() equals PyTorch forward and backward, ${prefix},`, () => {
    assertNoLeak(() =>
      tf.tidy(() => {
        const golden = (name: string) => xcorr.activations(`${prefix}.${name}`);
        const { value, grads: [dx, dz] } = tf.valueAndGrads((x, z) =>
          xcorrFast(x as Tensor4D, z as Tensor4D)
        )([golden("x"), golden("z")], golden("grad_out"));
        assertClose(value, golden("out"), { what: "y" });
        assertClose(dx, golden("grad_x"), { what: "dx" });
        assertClose(dz, golden("grad_z"), { what: "dz" });
      })
    );
  });
}

testOnBackends("xcorrFast() has the numerical gradient", () => {
  tf.tidy(() => {
    const rng = new Rng(1);
    assertGradientsMatch(
      xcorrFast,
      [randomTensor(rng, [2, 5, 6, 3]), randomTensor(rng, [2, 3, 2, 6])],
      { step: 0.25 },
    );
  });
});

testOnBackends("xcorrFast() refuses templates of other batch or channels", () => {
  tf.tidy(() => {
    const x = tf.zeros<tf.Rank.R4>([2, 5, 5, 3]);
    assertThrows(() => xcorrFast(x, tf.zeros([1, 3, 3, 3])), RangeError, "expected equal batch");
    assertThrows(() => xcorrFast(x, tf.zeros([2, 3, 3, 4])), RangeError, "a multiple of 3");
  });
});
