import { correlate, randomCorrelation } from "../../../support/random_ops.ts";
import { testAgainstReference } from "../against_reference.ts";

testAgainstReference("XcorrDepthwise", randomCorrelation, { seeds: 30 });

testAgainstReference(
  "XcorrDepthwise of SiamBAN's size",
  (rng) => correlate(rng, { x: [2, 29, 29], kernel: 5, channels: 256, padding: 0 }),
  { seeds: 1 },
);
