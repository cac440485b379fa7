import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  cutAtFailures,
  cutAtRestarts,
  expectedAverageOverlap,
  expectedOverlapCurve,
} from "../../src/evaluation/eao.ts";
import { Trajectory } from "../../src/evaluation/trajectory.ts";
import { readGolden } from "./golden.ts";

Deno.test("expectedOverlapCurve() equals the golden curve bit for bit", () => {
  const { fragments, weights, result_float32 } = readGolden("vot_statistics").expected_overlap;
  const segments = fragments.map((fragment: number[], i: number) => ({
    overlaps: Float64Array.from(fragment.filter((overlap) => !Number.isNaN(overlap))),
    failed: false,
    weight: weights[i],
  }));
  assertEquals([...expectedOverlapCurve(segments)], result_float32);
});

Deno.test("expectedOverlapCurve() goes on with zeros after a failure", () => {
  const curve = expectedOverlapCurve([
    { overlaps: Float64Array.of(1, 1), failed: true, weight: 1 },
    { overlaps: Float64Array.of(1, 1, 1, 1), failed: false, weight: 1 },
  ], 5);
  assertEquals(
    [...curve],
    [1, 1, 0.75, (1 / 3 + 1) / 2, 1 / 4].map(Math.fround),
  );
});

const box = { x: 0, y: 0, w: 1, h: 1 };
const run = Trajectory.of([1, box, 2, 0, 0, 0, 0, 1, box, box]);
const overlaps = Float64Array.of(NaN, 0.8, NaN, NaN, NaN, NaN, NaN, NaN, 0.6, 0.4);

Deno.test("cutAtRestarts() takes the skipped frames and the next start with a failure", () => {
  const segments = cutAtRestarts(overlaps, run);
  assertEquals(segments.map(({ from, to, failed, divisor }) => ({ from, to, failed, divisor })), [
    { from: 0, to: 8, failed: true, divisor: 8 },
    { from: 7, to: 10, failed: false, divisor: 3 },
  ]);
  assertEquals([...segments[0].overlaps], [0, 0.8, 0, 0, 0, 0, 0, 0]);
  assertEquals([...segments[1].overlaps], [0, 0.6, 0.4]);
});

Deno.test("cutAtRestarts() does not end a segment at a failure in the last five frames", () => {
  const [segment, ...others] = cutAtRestarts(overlaps.slice(0, 4), run.first(4));
  assertEquals(others, []);
  assertEquals([segment.failed, segment.to], [false, 4]);
});

Deno.test("cutAtFailures() leaves the skipped frames out", () => {
  const segments = cutAtFailures(overlaps, run);
  assertEquals(segments.map(({ from, to, failed }) => ({ from, to, failed })), [
    { from: 0, to: 2, failed: true },
    { from: 7, to: 10, failed: false },
  ]);
});

Deno.test("expectedAverageOverlap() takes both ends of the range, as lengths or as indices", () => {
  const curve = Float32Array.of(1, 0.5, 0.25, NaN, 0.125);
  assertAlmostEquals(expectedAverageOverlap(curve, { low: 2, high: 3 }), 0.375);
  assertAlmostEquals(expectedAverageOverlap(curve, { low: 2, high: 4 }, 0), (0.25 + 0.125) / 2);
});
