import { grad } from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { activate, type ActivationKind } from "../../../../src/ops/activation.ts";
import { ChannelSum, convOutputSize } from "../../../../src/ops/conv2d.ts";
import { maxPool2d } from "../../../../src/ops/max_pool2d.ts";
import { choose, randomTensor } from "../../../support/random_tensors.ts";
import { testOnCuda } from "../against_reference.ts";

testOnCuda("Activation", (rng) => {
  const shape = [2, 5, 1 + rng.integer(90), choose(rng, 1, 17, 64)];
  const x = randomTensor(rng, shape, { mean: 2, deviation: 4 });
  const kind = choose<ActivationKind>(rng, "relu", "relu6");
  const run = (x: Tensor4D) => activate(x, kind);
  const dx = grad(run as Parameters<typeof grad>[0])(x, randomTensor(rng, shape));
  return { y: run(x), dx };
}, { tolerance: 0 });

testOnCuda("ChannelSum", (rng) => ({
  sum: ChannelSum.run({
    x: randomTensor(rng, [3, 1 + rng.integer(40), 7, choose(rng, 1, 16, 63, 64, 65, 200)]),
  }, {}),
}), { seeds: 12 });

testOnCuda("MaxPool2d, with ties", (rng) => {
  const kernel = choose(rng, 2, 3), size = 5 + rng.integer(9);
  const geometry = { kernel, stride: choose(rng, 1, 2, 3), padding: rng.integer(2) };
  const out = (length: number) => convOutputSize(length, kernel, { ...geometry, dilation: 1 });
  const channels = choose(rng, 1, 3, 32, 50);
  const batch = 1 + rng.integer(9);
  const x = randomTensor(rng, [batch, size, size + 2, channels]).round<Tensor4D>();
  const dy = randomTensor(rng, [batch, out(size), out(size + 2), channels]);
  const run = (x: Tensor4D) => maxPool2d(x, geometry);
  return { y: run(x), dx: grad(run as Parameters<typeof grad>[0])(x, dy) };
}, { seeds: 16, tolerance: 1e-6 });
