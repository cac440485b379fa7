import {
  assertSmallVarianceFound,
  assertStatisticsKept,
  randomBatchNorm,
} from "../../../support/random_norms.ts";
import { testAgainstReference, testNative } from "../against_reference.ts";

testAgainstReference("BatchNorm", randomBatchNorm, { seeds: 24, tolerance: 5e-5 });

testNative("BatchNorm finds a small variance on a large mean", assertSmallVarianceFound);

testNative(
  "BatchNorm keeps the running statistics of a channel that is not finite",
  assertStatisticsKept,
);
