import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import {
  BatchNorm2d,
  Conv2d,
  gradients,
  initUniform,
  namedParameters,
  ReLU6,
  sequential,
} from "../../src/nn/mod.ts";
import { Rng } from "../../src/random.ts";
import { testOnBackends } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";
import { assertNoLeak } from "../support/leaks.ts";

function block() {
  const norm = new BatchNorm2d(6);
  const layers = [new Conv2d(3, 6, { kernel: 3, padding: 1 }), norm, new ReLU6()];
  initUniform(layers, new Rng(1));
  norm.runningMean.overwrite([0.1, -0.2, 0.3, 0, 0.5, -0.6]);
  norm.runningVar.overwrite([0.5, 1, 2, 1, 0.7, 1.3]);
  norm.weight.overwrite([1, 2, -1, 0.5, 1, 3]);
  return { layers, norm };
}

function images(): Tensor4D {
  const rng = new Rng(2);
  return tf.tensor4d(Float32Array.from({ length: 2 * 5 * 4 * 3 }, () => rng.normal()), [
    2,
    5,
    4,
    3,
  ]);
}

testOnBackends("convBlock() gives the same folded and recorded", () => {
  const { layers, norm } = block();
  norm.training = false;
  using x = disposable(images());
  const residual = tf.ones<tf.Rank.R4>([2, 5, 4, 6]);
  const folded = sequential(x.tensor, layers, { residual });
  let recorded: Tensor4D | undefined;
  const parameters = [...namedParameters(layers)].map(({ parameter }) => parameter);
  const pass = gradients(parameters, () => {
    recorded = tf.keep(sequential(x.tensor, layers, { residual }));
    return { total: recorded.sum().asScalar() };
  });
  assertClose(folded, recorded!, { tolerance: 1e-6 });
  assertEquals(pass.gradients.size, parameters.length);
  tf.dispose([folded, recorded!, residual, pass.losses.total, ...pass.gradients.values()]);
  for (const layer of layers) layer[Symbol.dispose]();
});

testOnBackends("convBlock() sees weights and statistics that have changed in place", () => {
  const { layers, norm } = block();
  norm.training = false;
  using x = disposable(images());
  const before = sequential(x.tensor, layers);
  norm.runningMean.overwrite(new Float32Array(6));
  const after = sequential(x.tensor, layers);
  assertEquals(before.sub(after).abs().max().dataSync()[0] > 0.1, true);
  tf.dispose([before, after]);
  for (const layer of layers) layer[Symbol.dispose]();
});

testOnBackends("sequential() counts training passes and leaves no tensor but its result", () => {
  const { layers, norm } = block();
  using x = disposable(images());
  assertNoLeak(() => sequential(x.tensor, layers).dispose());
  assertEquals(norm.numBatchesTracked.value, 1);
  norm.training = false;
  sequential(x.tensor, layers).dispose(); // a backend may keep the folded weight
  assertNoLeak(() => sequential(x.tensor, layers).dispose());
  assertEquals(norm.numBatchesTracked.value, 1);
  for (const layer of layers) layer[Symbol.dispose]();
});

function disposable<T extends tf.Tensor>(tensor: T): Disposable & { readonly tensor: T } {
  return { tensor, [Symbol.dispose]: () => tensor.dispose() };
}
