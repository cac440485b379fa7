import { correlate, randomCorrelation } from "../../../support/random_ops.ts";
import { testOnCuda } from "../against_reference.ts";

testOnCuda("XcorrDepthwise of any size", randomCorrelation, { seeds: 12 });

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
