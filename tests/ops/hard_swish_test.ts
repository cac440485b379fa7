import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { foldedConv2d } from "../../src/ops/folded_conv2d.ts";
import { hardSwish } from "../../src/ops/hard_swish.ts";
import { convGeometry } from "../../src/ops/conv2d.ts";
import { Rng } from "../../src/random.ts";
import { testOnBackends } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";
import { assertGradientsMatch } from "../support/gradient_check.ts";
import { randomTensor } from "../support/random_tensors.ts";

testOnBackends("hardSwish() is x ReLU6(x + 3) / 6, with PyTorch's gradient at its kinks", () => {
  tf.tidy(() => {
    const x = tf.tensor4d([-4, -3, -1.5, 0, 1, 3, 5], [1, 1, 7, 1]);
    const { value, grad } = tf.valueAndGrad((x) => hardSwish(x as Tensor4D))(x);
    assertClose(value, [0, 0, -0.375, 0, 2 / 3, 3, 5]);
    assertClose(grad, [0, -0.5, 0, 0.5, 5 / 6, 1.5, 1]);
  });
});

testOnBackends("hardSwish() has the numerical gradient", () => {
  tf.tidy(() => {
    // 0.1 off the kinks at -3 and 3, whatever was drawn.
    const x = randomTensor(new Rng(3), [2, 3, 5, 7], { deviation: 2 });
    const away = tf.where(x.abs().sub(3).abs().less(0.1), x.mul(0.9), x) as Tensor4D;
    assertGradientsMatch(hardSwish, [away]);
  });
});

testOnBackends("foldedConv2d() ends with a hard swish, behind the residual", () => {
  tf.tidy(() => {
    const rng = new Rng(4);
    const x = randomTensor(rng, [1, 5, 6, 8]), weight = randomTensor(rng, [8, 3, 3, 8]);
    const residual = randomTensor(rng, [1, 5, 6, 8]);
    const options = { ...convGeometry({ padding: 1 }), residual, epsilon: 0 };
    const y = foldedConv2d(x, weight, { ...options, activation: "hard_swish" });
    assertClose(y, hardSwish(foldedConv2d(x, weight, { ...options, activation: "none" })));
  });
});
