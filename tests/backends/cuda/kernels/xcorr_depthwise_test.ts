import { grads } from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { xcorrDepthwise, xcorrOutputShape } from "../../../../src/ops/xcorr_depthwise.ts";
import type { Rng } from "../../../../src/random.ts";
import { choose, randomTensor } from "../../../support/random_tensors.ts";
import { type Results, testOnCuda } from "../against_reference.ts";

testOnCuda("XcorrDepthwise of any size", (rng) => {
  const kernel = 1 + rng.integer(6);
  return correlate(rng, {
    x: [1 + rng.integer(9), kernel + rng.integer(12), kernel + rng.integer(30)],
    kernel,
    channels: choose(rng, 1, 3, 8, 12, 21, 48),
    padding: rng.integer(kernel),
  });
}, { seeds: 12 });

for (const [x, kernel] of [[29, 5], [31, 7], [15, 8], [16, 8], [25, 4], [17, 1]]) {
  testOnCuda(
    `XcorrDepthwise of ${x} x ${x} with ${kernel} x ${kernel}`,
    (rng) => correlate(rng, { x: [1, x, x], kernel, channels: 20, padding: 0 }),
    { seeds: 1 },
  );
}

testOnCuda(
  "XcorrDepthwise in chunks of taps",
  (rng) => correlate(rng, { x: [1, 48, 45], kernel: 9, channels: 5, padding: 2 }),
  { seeds: 1 },
);

testOnCuda(
  "XcorrDepthwise of what no block holds",
  (rng) => correlate(rng, { x: [1, 7, 900], kernel: 3, channels: 2, padding: 0 }),
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
