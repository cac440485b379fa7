import { useBackend } from "../../../../src/backends/mod.ts";
import {
  assertSmallVarianceFound,
  assertStatisticsKept,
  randomBatchNorm,
} from "../../../support/random_norms.ts";
import { testEmulated, testOnCuda } from "../against_reference.ts";

testOnCuda("BatchNorm", randomBatchNorm, { seeds: 16, tolerance: 5e-5 });

testEmulated("BatchNorm on the device finds a small variance on a large mean", async () => {
  await using _ = await useBackend("emulated");
  assertSmallVarianceFound();
});

testEmulated("BatchNorm on the device passes over statistics that are not finite", async () => {
  await using _ = await useBackend("emulated");
  assertStatisticsKept();
});
