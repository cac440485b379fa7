import { grads } from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { xcorrDepthwise, xcorrOutputShape } from "../../../../src/ops/xcorr_depthwise.ts";
import type { Rng } from "../../../../src/random.ts";
import { choose, randomTensor } from "../../../support/random_tensors.ts";
import { type Results, testAgainstReference } from "../against_reference.ts";

testAgainstReference("XcorrDepthwise", (rng) => {
  const kernel = 1 + rng.integer(6);
  return correlate(rng, {
    x: [1 + rng.integer(4), kernel + rng.integer(12), kernel + rng.integer(30)],
    kernel,
    channels: choose(rng, 1, 3, 16, 21, 48),
    padding: rng.integer(kernel),
  });
}, { seeds: 30 });

testAgainstReference(
  "XcorrDepthwise of SiamBAN's size",
  (rng) => correlate(rng, { x: [2, 29, 29], kernel: 5, channels: 256, padding: 0 }),
  { seeds: 1 },
);

function correlate(rng: Rng, { x: size, kernel, channels, padding }: {
  readonly x: readonly [batch: number, height: number, width: number];
  readonly kernel: number;
  readonly channels: number;
  readonly padding: number;
}): Results {
  const x = randomTensor(rng, [...size, channels]);
  const z = randomTensor(rng, [size[0], kernel, kernel, channels]);
  const dy = randomTensor(rng, xcorrOutputShape(x.shape, z.shape, padding));
  const run = (x: Tensor4D, z: Tensor4D) => xcorrDepthwise(x, z, { padding });
  const [dx, dz] = grads(run as Parameters<typeof grads>[0])([x, z], dy);
  return { y: run(x, z), dx, dz };
}
