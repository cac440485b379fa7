import { assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { selectCrossEntropy } from "../../src/ops/select_cross_entropy.ts";
import { Rng } from "../../src/random.ts";
import { testOnBackends } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";
import { readGolden } from "../support/golden.ts";
import { assertGradientsMatch } from "../support/gradient_check.ts";
import { assertNoLeak } from "../support/leaks.ts";
import { choose, randomTensor } from "../support/random_tensors.ts";

interface LossCase {
  readonly kind: string;
  readonly prefix: string;
  readonly loss_by_formula: number;
}

const losses = await readGolden<{ select_cross_entropy_loss: LossCase[] }>("ops/losses");

for (const { kind, prefix, loss_by_formula } of losses.json.select_cross_entropy_loss) {
  testOnBackends(`selectCrossEntropy() equals its formula and PyTorch's gradient, ${kind},`, () => {
    assertNoLeak(() =>
      tf.tidy(() => {
        const labels = losses.tensor<Tensor3D>(`${prefix}.label`);
        const logits = losses.activations(`${prefix}.cls_raw`);
        const { value, grad } = tf.valueAndGrad((x) => selectCrossEntropy(x as Tensor4D, labels))(
          logits,
        );
        assertClose(value, loss_by_formula, { tolerance: 1e-6 });
        // The published code loses a class of exactly one point; those gradients come from the formula.
        const name = [`${prefix}.grad_cls_raw_by_formula`, `${prefix}.grad_cls_raw`]
          .find((name) => losses.has(name));
        const expected = name ? losses.activations(name) : tf.zerosLike(logits);
        assertClose(grad, expected, { what: "gradient" });
      })
    );
  });
}

testOnBackends("selectCrossEntropy() has the numerical gradient", () => {
  tf.tidy(() => {
    const rng = new Rng(1);
    const labels = randomLabels(rng, [2, 4, 4]);
    assertGradientsMatch(
      (logits: Tensor4D) => selectCrossEntropy(logits, labels),
      [randomTensor(rng, [2, 4, 4, 2])],
    );
  });
});

testOnBackends("selectCrossEntropy() scales its gradient with the loss's", () => {
  tf.tidy(() => {
    const rng = new Rng(2);
    const labels = randomLabels(rng, [1, 5, 5]);
    const logits = randomTensor(rng, [1, 5, 5, 2]);
    const plain = tf.grad((x) => selectCrossEntropy(x as Tensor4D, labels))(logits);
    const scaled = tf.grad((x) => selectCrossEntropy(x as Tensor4D, labels).mul(3))(logits);
    assertClose(scaled, plain.mul(3));
  });
});

testOnBackends("selectCrossEntropy() is finite for huge logits and knows no ignored point", () => {
  tf.tidy(() => {
    const logits = tf.tensor4d([1e4, -1e4, -1e4, 1e4, NaN, Infinity], [1, 1, 3, 2]);
    const labels = tf.tensor3d([1, 0, -1], [1, 1, 3], "int32");
    const { value, grad } = tf.valueAndGrad((x) => selectCrossEntropy(x as Tensor4D, labels))(
      logits,
    );
    assertClose(value, 2e4);
    assertEquals([...grad.dataSync()], [0.5, -0.5, -0.5, 0.5, 0, 0]);
  });
});

testOnBackends("selectCrossEntropy() refuses labels of another shape", () => {
  tf.tidy(() => {
    const logits = tf.zeros<tf.Rank.R4>([2, 5, 5, 2]);
    const refuse = (logits: Tensor4D, shape: [number, number, number]) =>
      assertThrows(
        () => selectCrossEntropy(logits, tf.zeros(shape, "int32")),
        RangeError,
        "expected [B, S, S, 2] and [B, S, S]",
      );
    refuse(logits, [2, 5, 4]);
    refuse(logits, [1, 5, 5]);
    refuse(tf.zeros([2, 5, 5, 3]), [2, 5, 5]);
  });
});

function randomLabels(rng: Rng, shape: [number, number, number]): Tensor3D {
  const length = shape.reduce((product, size) => product * size);
  return tf.tensor3d(Int32Array.from({ length }, () => choose(rng, -1, 0, 1)), shape, "int32");
}
