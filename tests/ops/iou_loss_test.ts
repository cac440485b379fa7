import { assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { iouLoss, type IouLossKind, selectIouLoss } from "../../src/ops/iou_loss.ts";
import { Rng } from "../../src/random.ts";
import { testOnBackends } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";
import { readGolden } from "../support/golden.ts";
import { assertGradientsMatch } from "../support/gradient_check.ts";
import { assertNoLeak } from "../support/leaks.ts";
import { randomTensor } from "../support/random_tensors.ts";

interface SelectCase {
  readonly kind: string;
  readonly prefix: string;
  readonly loss?: number;
}

interface FlatCase {
  readonly type: IouLossKind;
  readonly weight: "none" | "weight" | "zero_weight";
  readonly loss: number;
  readonly grad: string;
}

const losses = await readGolden<{ select_iou_loss: SelectCase[]; iou: FlatCase[] }>("ops/losses");

for (const { kind, prefix, loss } of losses.json.select_iou_loss) {
  testOnBackends(`selectIouLoss() equals PyTorch forward and backward, ${kind},`, () => {
    assertNoLeak(() =>
      tf.tidy(() => {
        const pred = losses.activations(`${prefix}.pred`);
        const target = losses.activations(`${prefix}.target`);
        const labels = losses.tensor<Tensor3D>(`${prefix}.label`);
        const { value, grad } = tf.valueAndGrad((x) =>
          selectIouLoss(x as Tensor4D, target, labels)
        )(pred);
        // Without a positive the published code fails; here the loss is 0.
        assertClose(value, loss ?? 0);
        const expected = loss === undefined
          ? tf.zerosLike(pred)
          : losses.activations(`${prefix}.grad_pred`);
        assertClose(grad, expected, { what: "gradient" });
      })
    );
  });
}

for (const { type, weight, loss, grad: gradientName } of losses.json.iou) {
  testOnBackends(`iouLoss() equals PyTorch forward and backward, ${type}, ${weight},`, () => {
    assertNoLeak(() =>
      tf.tidy(() => {
        const pred = losses.tensor<Tensor2D>("flat.pred");
        const target = losses.tensor<Tensor2D>("flat.target");
        const weights = {
          none: tf.ones<tf.Rank.R1>([pred.shape[0]]),
          weight: losses.tensor<Tensor1D>("flat.weight"),
          zero_weight: tf.zeros<tf.Rank.R1>([pred.shape[0]]),
        };
        const { value, grad } = tf.valueAndGrad((x) =>
          iouLoss(x, target, { kind: type, weight: weights[weight] })
        )(pred);
        assertClose(value, loss);
        assertClose(grad, losses.tensor(gradientName), { what: "gradient" });
      })
    );
  });
}

for (const kind of ["iou", "linear_iou", "giou"] as const) {
  testOnBackends(`iouLoss() has the numerical gradient, ${kind},`, () => {
    tf.tidy(() => {
      const rng = new Rng(1);
      // Differences of 2 to 4 keep every pair of sides off the kink where they are equal.
      const target = tf.fill([6, 4], 10);
      const pred = target.add(randomTensor<Tensor>(rng, [6, 4]).sign().mul(3))
        .add(randomTensor<Tensor>(rng, [6, 4], { deviation: 0.2 }));
      const weight = randomTensor<Tensor1D>(rng, [6]).abs();
      assertGradientsMatch((pred: Tensor) => iouLoss(pred, target, { weight, kind }), [pred], {
        step: 0.1,
        tolerance: 5e-3,
      });
    });
  });
}

testOnBackends("iouLoss() is 0 without weight where that is asked for", () => {
  tf.tidy(() => {
    const pred = tf.fill([3, 4], 2), target = tf.fill([3, 4], 5), weight = tf.zeros([3]);
    const loss = (x: Tensor) => iouLoss(x, target, { weight, whenEmpty: "zero" });
    const { value, grad } = tf.valueAndGrad(loss)(pred);
    assertClose(value, 0);
    assertEquals([...grad.dataSync()], new Array(12).fill(0));
  });
});

testOnBackends("selectIouLoss() does not see points that are not positive", () => {
  tf.tidy(() => {
    const pred = tf.tensor4d([1, 2, 3, 4, NaN, Infinity, -Infinity, 1e38], [1, 1, 2, 4]);
    const target = tf.tensor4d([1, 2, 3, 4, 1, 2, 3, 4], [1, 1, 2, 4]);
    const labels = tf.tensor3d([1, 0], [1, 1, 2], "int32");
    const { value, grad } = tf.valueAndGrad((x) => selectIouLoss(x as Tensor4D, target, labels))(
      pred,
    );
    assertClose(value, 0, { tolerance: 1e-6 });
    assertEquals([...grad.dataSync()].slice(4), [0, 0, 0, 0]);
  });
});

testOnBackends("iouLoss() splits the gradient of equal sides half and half", () => {
  tf.tidy(() => {
    const box = tf.tensor2d([2, 3, 4, 5], [1, 4]);
    // I = U = 48: dI = 0.5 H, dU = H - dI = 0.5 H, so the slope of IoU is (0.5 - 0.5) H / 49.
    const grad = tf.grad((x) => iouLoss(x, box, { weight: tf.ones([1]) }))(box.clone());
    assertClose(grad, [0, 0, 0, 0], { tolerance: 1e-7 });
  });
});

testOnBackends("iouLoss() refuses shapes that do not fit", () => {
  tf.tidy(() => {
    const boxes = tf.zeros([3, 4]);
    const text = "expected [..., 4], the same, and [...]";
    assertThrows(
      () => iouLoss(boxes, tf.zeros([2, 4]), { weight: tf.ones([3]) }),
      RangeError,
      text,
    );
    assertThrows(() => iouLoss(boxes, boxes, { weight: tf.ones([4]) }), RangeError, text);
    assertThrows(
      () => iouLoss(tf.zeros([4, 3]), tf.zeros([4, 3]), { weight: tf.ones([3]) }),
      RangeError,
      text,
    );
  });
});
