import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  bestF,
  confidenceThresholds,
  fScores,
  meanPrecisionRecall,
  precisionRecall,
} from "../../src/evaluation/f1.ts";
import { pictureBounds, toRegion } from "../../src/evaluation/region.ts";
import { votOverlaps } from "../../src/evaluation/vot_overlap.ts";
import { readGolden, toTrajectory } from "./golden.ts";

const golden = readGolden("f1");

Deno.test("confidenceThresholds() equals both golden variants", () => {
  const { scores, statistics_variant, misc_variant } = readGolden("thresholds");
  assertEquals([...confidenceThresholds(scores)], statistics_variant);
  assertEquals([...confidenceThresholds(scores, { spacing: "truncated" })], misc_variant);
});

Deno.test("confidenceThresholds() takes fewer confidences than thresholds", () => {
  assertEquals([...confidenceThresholds([0.2, NaN, 0.1], { spacing: "vot" })], [
    -Infinity,
    0.1,
    0.2,
    Infinity,
  ]);
  const few = confidenceThresholds([0.5], { resolution: 4 });
  assertEquals([...few], [-Infinity, 0.5, 0.5, Infinity]);
  assertEquals([...confidenceThresholds([])], [-Infinity, Infinity]);
});

function goldenFrames() {
  return golden.sequences.map(
    ({ gt, pred, confidence, width, height }: {
      gt: number[][];
      pred: number[][];
      confidence: number[];
      width: number;
      height: number;
    }) => {
      const truth = gt.map((row) => row.length === 1 ? null : toRegion(row)!);
      const bounds = pictureBounds({ w: width, h: height });
      return {
        overlaps: votOverlaps(toTrajectory(pred), truth, bounds),
        confidences: Float64Array.from(confidence),
        visibleFrames: truth.filter((region) => region !== null).length,
      };
    },
  );
}

Deno.test("precisionRecall() equals the golden curves, bestF() their best", () => {
  const frames = goldenFrames();
  const all = frames.flatMap(({ confidences }: { confidences: Float64Array }) => [...confidences]);
  const thresholds = confidenceThresholds(all);
  assertEquals([...thresholds], golden.thresholds_ascending);
  thresholds.reverse();
  const curves = golden.sequences.map(({ name }: { name: string }, i: number) => {
    const curve = precisionRecall(frames[i], thresholds);
    const f = fScores(curve);
    for (let k = 0; k < thresholds.length; k++) {
      assertAlmostEquals(curve.precision[k], golden.precision[name][k], 1e-9);
      assertAlmostEquals(curve.recall[k], golden.recall[name][k], 1e-9);
      if (!Number.isNaN(golden.f1[name][k])) assertAlmostEquals(f[k], golden.f1[name][k], 1e-9);
    }
    return curve;
  });
  const best = bestF(meanPrecisionRecall(curves));
  assertEquals(best.index, golden.best_index);
  assertAlmostEquals(best.f1, golden.best.f1, 1e-9);
  assertAlmostEquals(best.precision, golden.best.precision, 1e-9);
  assertAlmostEquals(best.recall, golden.best.recall, 1e-9);
});

Deno.test("bestF() passes over thresholds without a value", () => {
  const curve = { precision: Float64Array.of(0, 0.5, 1), recall: Float64Array.of(0, 0.5, 0.1) };
  assertEquals(bestF(curve).index, 1);
});

Deno.test("precisionRecall() lets through what the lowest threshold says", () => {
  const frames = {
    overlaps: Float64Array.of(0.5, 1),
    confidences: Float64Array.of(NaN, 1),
    visibleFrames: 2,
  };
  const lowest = Float64Array.of(-Infinity);
  assertEquals([...precisionRecall(frames, lowest).precision], [1]);
  assertEquals([...precisionRecall(frames, lowest, "all").precision], [0.75]);
});
