import { assert, assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor, Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import { activate } from "../../src/ops/activation.ts";
import { batchNorm } from "../../src/ops/batch_norm.ts";
import { conv2d } from "../../src/ops/conv2d.ts";
import { isRecording, unrecorded } from "../../src/ops/define_op.ts";
import { maxPool2d } from "../../src/ops/max_pool2d.ts";
import { xcorrDepthwise } from "../../src/ops/xcorr_depthwise.ts";
import { Rng } from "../../src/random.ts";
import { testOnBackends } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";
import { assertGradientsMatch } from "../support/gradient_check.ts";
import { assertNoLeak } from "../support/leaks.ts";
import { randomTensor } from "../support/random_tensors.ts";

const BLOCK = [1, 16, 16, 8];
const BLOCK_BYTES = 4 * 16 * 16 * 8;

testOnBackends("A chain of ops frees what it saved while it goes back", () => {
  assertNoLeak(() =>
    tf.tidy(() => {
      const bytes: number[] = [];
      const weight = randomTensor(new Rng(1), [8, 3, 3, 8], { deviation: 0.1 });
      const chain = (x: Tensor) => {
        let y = x as Tensor4D;
        for (let layer = 0; layer < 6; layer++) {
          y = activate(conv2d(probe(y, bytes), weight, { padding: 1 }), "relu");
        }
        return y;
      };
      tf.grad(chain)(randomTensor(new Rng(2), BLOCK)).dispose();
      assertFreed(bytes);
    })
  );
});

testOnBackends("Gradients that nobody takes are freed while it goes back", () => {
  assertNoLeak(() =>
    tf.tidy(() => {
      const held: number[] = [];
      const norm = {
        weight: tf.ones<tf.Rank.R1>([8]),
        bias: tf.zeros<tf.Rank.R1>([8]),
        runningMean: tf.zeros<tf.Rank.R1>([8]),
        runningVar: tf.ones<tf.Rank.R1>([8]),
      };
      const options = { training: true, epsilon: 1e-5, momentum: 0.1, activation: "relu" } as const;
      // Its backward pass makes the gradient of a residual, too, and here there is none.
      const chain = (x: Tensor) => {
        let y = x as Tensor4D;
        for (let layer = 0; layer < 5; layer++) y = batchNorm(probe(y, held), norm, options);
        return y;
      };
      tf.grad(chain)(randomTensor(new Rng(3), BLOCK)).dispose();
      assertFreed(held);
    })
  );
});

testOnBackends("An output with two consumers gets the sum of their gradients", () => {
  tf.tidy(() => {
    const rng = new Rng(4);
    const [w1, w2, w3] = [1, 2, 3].map(() => randomTensor(rng, [3, 1, 1, 3]));
    const net = (x: Tensor4D, w1: Tensor4D, w2: Tensor4D, w3: Tensor4D) => {
      const shared = conv2d(x, w1);
      const left = conv2d(shared, w2);
      const right = xcorrDepthwise(conv2d(shared, w3), shared.slice([0, 0, 0, 0], [-1, 2, 2, -1]));
      return left.slice([0, 0, 0, 0], [-1, 3, 3, -1]).mul(right);
    };
    const x = randomTensor(rng, [2, 4, 4, 3]);
    assertGradientsMatch(net, [x, w1, w2, w3]);
  });
});

testOnBackends(
  "Ops of tfjs in between and an input used twice do not disturb the gradients",
  () => {
    tf.tidy(() => {
      const rng = new Rng(5);
      const net = (x: Tensor4D, weight: Tensor4D) => {
        const y = conv2d(x, weight, { padding: 1 });
        const scaled = tf.addN<Tensor4D>([y.mul(0.5), y, tf.tanh(y)]);
        const z = conv2d(scaled, weight, { padding: 1 });
        return tf.concat([z.add(y), z.reshape(y.shape).sigmoid()], 3);
      };
      assertGradientsMatch(net, [
        randomTensor(rng, [1, 4, 4, 2]),
        randomTensor(rng, [2, 3, 3, 2], { deviation: 0.3 }),
      ]);
    });
  },
);

testOnBackends(
  "variableGrads() of a step gives the same gradients each time, without leaking",
  () => {
    const rng = new Rng(6);
    const variable = (shape: number[]) =>
      tf.tidy(() => tf.variable(randomTensor(rng, shape, { deviation: 0.4 })) as Tensor4D);
    const x = randomTensor(rng, [2, 9, 9, 3]), z = randomTensor(rng, [2, 3, 3, 4]);
    const weight = variable([4, 3, 3, 3]), top = variable([2, 1, 1, 4]);
    const loss = () => {
      const features = activate(conv2d(x, weight, { padding: 1 }), "relu");
      const pooled = maxPool2d(features, { kernel: 3, stride: 2, padding: 1 });
      return conv2d(xcorrDepthwise(pooled, z), top).square().mean() as Scalar;
    };
    const step = () => {
      const { value, grads } = tf.variableGrads(loss);
      const values = Object.values(grads).map((gradient) => gradient.dataSync());
      tf.dispose([value, grads]);
      return values;
    };
    const first = step();
    assertNoLeak(() => assertEquals(step(), first));
    tf.dispose([x, z, weight, top]);
  },
);

testOnBackends("The caller's dy and gradients kept on the way stay", () => {
  tf.tidy(() => {
    const rng = new Rng(7);
    const weight = randomTensor(rng, [3, 1, 1, 3]);
    const x = randomTensor(rng, [1, 2, 2, 3]), dy = randomTensor(rng, [1, 2, 2, 3]);
    const kept: Tensor[] = [];
    const keeping = tf.customGrad<Tensor4D>((x) => ({
      value: (x as Tensor4D).clone(),
      gradFunc: (dy: Tensor) => {
        kept.push(tf.keep(dy));
        return dy;
      },
    }));
    const net = (x: Tensor) =>
      conv2d(conv2d(keeping(conv2d(x as Tensor4D, weight)), weight), weight);
    const first = tf.grad(net)(x, dy);
    const values = first.dataSync();
    tf.grad(net)(x, dy).dispose();
    assertClose(first, values);
    for (const tensor of [dy, ...kept]) assert(!tensor.isDisposed);
    tf.dispose(kept);
  });
});

testOnBackends("A backward pass that fails does not disturb the next one", () => {
  tf.tidy(() => {
    const rng = new Rng(8);
    const weight = randomTensor(rng, [3, 1, 1, 3]), x = randomTensor(rng, [1, 2, 2, 3]);
    let fails = true;
    const failing = tf.customGrad<Tensor4D>((x) => ({
      value: (x as Tensor4D).clone(),
      gradFunc: (dy: Tensor) => {
        if (fails) throw new Error("Cannot go on");
        return dy.clone();
      },
    }));
    const dy = randomTensor(rng, [1, 2, 2, 3]);
    const net = (x: Tensor) => conv2d(failing(conv2d(x as Tensor4D, weight)), weight);
    assertThrows(() => tf.grad(net)(x, dy), Error, "Cannot go on");
    fails = false;
    const plain = (x: Tensor) => conv2d(conv2d(x as Tensor4D, weight), weight);
    assertClose(tf.grad(net)(x, dy), tf.grad(plain)(x, dy));
    assert(!dy.isDisposed);
  });
});

testOnBackends("A gradient can be differentiated again where its backward pass can", () => {
  tf.tidy(() => {
    const rng = new Rng(9);
    const z = randomTensor(rng, [1, 2, 2, 2]), dy = randomTensor(rng, [1, 3, 3, 2]);
    // y is linear in z and in x, so its gradient by z is linear in x.
    const gradientByZ = (x: Tensor4D) =>
      tf.grad((z) => xcorrDepthwise(activate(x, "relu"), z as Tensor4D))(z, dy);
    const x = randomTensor(rng, [1, 4, 4, 2]).abs<Tensor4D>().add<Tensor4D>(0.5);
    assertGradientsMatch(gradientByZ, [x]);
  });
});

testOnBackends("unrecorded() keeps nothing and refuses a gradient", () => {
  tf.tidy(() => {
    const rng = new Rng(10);
    const weight = randomTensor(rng, [3, 1, 1, 3]), x = randomTensor(rng, [1, 8, 8, 3]);
    const frozen = (x: Tensor4D) => {
      assert(!isRecording());
      return activate(conv2d(x, weight), "relu");
    };
    const bias = tf.zeros<tf.Rank.R1>([3]);
    const byBias = (bias: Tensor) =>
      conv2d(unrecorded(frozen, x), weight, { bias: bias as Tensor1D });
    assertClose(tf.grad(byBias)(bias), [64, 64, 64]);
    assertThrows(
      () => tf.grad((x) => unrecorded(frozen, x as Tensor4D))(x),
      Error,
      "Cannot differentiate an unrecorded layer",
    );
  });
});

/** Asserts that a block at least went from each layer to the next: its output is not needed any more. */
function assertFreed(bytes: readonly number[]): void {
  const freed = bytes.slice(1).map((now, layer) => bytes[layer] - now);
  for (const step of freed) assert(step >= BLOCK_BYTES, `freed ${freed} bytes a layer`);
}

/** Passes everything on, and notes the bytes in use when the backward pass comes by. */
function probe(x: Tensor4D, bytes: number[]): Tensor4D {
  return tf.customGrad((x) => ({
    value: (x as Tensor4D).clone(),
    gradFunc: (dy: Tensor) => {
      bytes.push(tf.memory().numBytes);
      return dy.clone();
    },
  }))(x) as Tensor4D;
}
