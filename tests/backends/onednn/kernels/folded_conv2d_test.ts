import type { Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import { assertNotEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { HostBackend } from "../../../../src/backends/host_backend.ts";
import type { ActivationKind } from "../../../../src/ops/activation.ts";
import { convGeometry, convOutputShape } from "../../../../src/ops/conv2d.ts";
import { foldedConv2d } from "../../../../src/ops/folded_conv2d.ts";
import { Rng } from "../../../../src/random.ts";
import { assertClose } from "../../../support/close.ts";
import { choose, randomTensor } from "../../../support/random_tensors.ts";
import { testAgainstReference, testNative } from "../against_reference.ts";

testAgainstReference("FoldedConv2d", (rng) => {
  const { x, weight, bias, norm } = network(rng);
  const attributes = {
    ...convGeometry({ stride: choose(rng, 1, 2), padding: 1, dilation: choose(rng, 1, 2) }),
    activation: choose<ActivationKind>(rng, "none", "relu", "relu6"),
    epsilon: 1e-5,
  };
  const residual = randomTensor(rng, convOutputShape(x.shape, weight.shape, attributes));
  return {
    all: foldedConv2d(x, weight, { ...attributes, bias, norm, residual }),
    withoutResidual: foldedConv2d(x, weight, { ...attributes, norm }),
    withoutNorm: foldedConv2d(x, weight, { ...attributes, bias, residual }),
    plain: foldedConv2d(x, weight, attributes),
  };
}, { seeds: 20 });

testNative("FoldedConv2d sees a change of each tensor behind its folded weight", () => {
  tf.tidy(() => {
    const backend = tf.backend() as HostBackend;
    const { x, weight, bias, norm } = network(new Rng(5));
    const attributes = {
      ...convGeometry({ padding: 1 }),
      activation: "none",
      epsilon: 1e-5,
    } as const;
    const run = () => foldedConv2d(x, weight, { ...attributes, bias, norm }).dataSync();
    let before = run();
    for (const tensor of [weight, bias, ...Object.values(norm)]) {
      backend.overwrite(tensor, tensor.dataSync().map((value) => value + 0.5));
      const after = run();
      assertNotEquals(after, before);
      before = after;
    }
    const fresh = { x, weight: weight.add<Tensor4D>(0), bias: bias.add<Tensor1D>(0) };
    const expected = foldedConv2d(fresh.x, fresh.weight, { ...attributes, bias: fresh.bias, norm });
    assertClose(before, expected.dataSync());
  });
});

testNative("FoldedConv2d tells apart norms behind one weight", () => {
  tf.tidy(() => {
    const { x, weight, norm } = network(new Rng(6));
    const other = { ...norm, weight: norm.weight.mul<Tensor1D>(2) };
    const attributes = {
      ...convGeometry({ padding: 1 }),
      activation: "none",
      epsilon: 1e-5,
    } as const;
    const run = (chosen: typeof norm) => foldedConv2d(x, weight, { ...attributes, norm: chosen });
    const first = run(norm), second = run(other), again = run(norm);
    assertNotEquals(first.dataSync(), second.dataSync());
    assertClose(again, first);
  });
});

function network(rng: Rng) {
  const channels = choose(rng, 3, 16, 20), filters = choose(rng, 5, 16, 32);
  const x = randomTensor(rng, [2, 9, 8, channels]);
  const weight = randomTensor(rng, [filters, 3, 3, channels]);
  const vector = (mean: number, deviation: number) =>
    randomTensor<Tensor1D>(rng, [filters], { mean, deviation });
  const norm = {
    weight: vector(1, 0.3),
    bias: vector(0, 1),
    runningMean: vector(0, 1),
    runningVar: vector(4, 0.5),
  };
  return { x, weight, bias: vector(0, 1), norm };
}
