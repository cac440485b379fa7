import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import type { Ltwh } from "../../src/geometry/boxes.ts";
import { CONVENTIONS } from "../../src/evaluation/conventions.ts";
import {
  areaOverlap,
  centreError,
  judgeFrames,
  normalisedCentreError,
  precisionCurve,
  successCurve,
} from "../../src/evaluation/ope.ts";
import { readGolden } from "./golden.ts";

const golden = readGolden("ope");
const { pysot, got10k, pytracking, vot } = CONVENTIONS;

function toBox([x, y, w, h]: number[]): Ltwh {
  return { x, y, w, h };
}

function assertCurve(found: Float64Array, expected: number[]): void {
  assertEquals(found.length, expected.length);
  expected.forEach((value, i) => assertAlmostEquals(found[i], value, 1e-12));
}

Deno.test("judgeFrames() under pysot's rules gives the golden curves", () => {
  for (const { name, gt, visible, ...trackers } of golden.sequences) {
    for (const tracker of ["A", "B"]) {
      const truth = { boxes: gt.map(toBox), visible: visible?.map((mark: number) => mark === 1) };
      const judged = judgeFrames(trackers[tracker].map(toBox), truth, pysot.ope);
      assertCurve(successCurve(judged, pysot.ope), golden.success[tracker][name]);
      const { precisionThresholds, normalisedThresholds } = pysot.ope;
      assertCurve(
        precisionCurve(judged.centre, precisionThresholds),
        golden.precision[tracker][name],
      );
      assertCurve(
        precisionCurve(judged.normalised, normalisedThresholds),
        golden.norm_precision[tracker][name],
      );
    }
  }
});

Deno.test("thresholds equal the golden ones to the last digit", () => {
  assertEquals(pysot.ope.successThresholds, golden.thresholds_success);
  assertEquals(pysot.ope.precisionThresholds, golden.thresholds_precision);
  assertEquals(pysot.ope.normalisedThresholds, golden.thresholds_norm);
});

Deno.test("areaOverlap() equals the golden overlaps", () => {
  const { a, b, iou } = golden.overlap_ratio;
  a.forEach((box: number[], i: number) =>
    assertAlmostEquals(areaOverlap(toBox(box), toBox(b[i])), iou[i], 1e-15)
  );
});

const box = { x: 10, y: 10, w: 20, h: 20 };

/** Two given frames and one without truth, predicted perfectly. */
function judgeThree(missing: Ltwh | null, rules = pysot.ope, extra = {}) {
  const truth = { boxes: [box, box, missing], size: { w: 100, h: 100 }, ...extra };
  return judgeFrames([box, box, box], truth, rules);
}

Deno.test("a frame without truth: pysot misses by overlap and hits by distance", () => {
  const { overlap, centre, normalised } = judgeThree({ x: 0, y: 0, w: 0, h: 0 });
  assertEquals([overlap[2], centre[2], normalised[2]], [-1, -1, -1]);
});

Deno.test("a frame without truth: got10k leaves NaN out and counts an empty box", () => {
  assertEquals(judgeThree(null, got10k.ope).overlap[2], NaN);
  assertEquals(judgeThree({ x: 0, y: 0, w: 0, h: 0 }, got10k.ope).overlap[2], 0);
});

Deno.test("a frame without truth: pytracking misses, but not by normalised distance", () => {
  const { overlap, centre, normalised } = judgeThree(null, pytracking.ope);
  assertEquals([overlap[2], centre[2], normalised[2]], [-1, Infinity, -1]);
});

Deno.test("pytracking does not count a true box that begins at the edge, pysot does", () => {
  const edge = { ...box, x: 0 };
  assertEquals(judgeThree(edge, pytracking.ope).overlap[2], -1);
  assertAlmostEquals(judgeThree(edge).overlap[2], 10 * 20 / (30 * 20));
});

Deno.test("an invisible frame: dropped by pysot, missed by pytracking, ignored by got10k", () => {
  const visible = [true, true, false];
  assertEquals(judgeThree(box, pysot.ope, { visible }).overlap[2], NaN);
  assertEquals(judgeThree(box, pytracking.ope, { visible }).normalised[2], Infinity);
  assertEquals(judgeThree(box, got10k.ope, { visible }).overlap[2], 1);
  const curve = successCurve(judgeThree(box, pysot.ope, { visible }), pysot.ope);
  assertAlmostEquals(curve[0], 2 / 3);
});

Deno.test("vot leaves out the first ten frames and hits a perfect overlap at threshold 1", () => {
  const boxes = Array(12).fill(box);
  const judged = judgeFrames(boxes, { boxes, size: { w: 100, h: 100 } }, vot.ope);
  assertEquals(judged.overlap.filter((overlap) => !Number.isNaN(overlap)).length, 2);
  assertEquals(successCurve(judged, vot.ope).at(-1), 1);
  assertEquals(successCurve(judged, { ...vot.ope, successIf: ">" }).at(-1), 0);
});

Deno.test("pytracking repeats the box before an empty one", () => {
  const empty = { x: 0, y: 0, w: 0, h: 0 };
  const judged = judgeFrames([box, box, empty], { boxes: [box, box, box] }, pytracking.ope);
  assertEquals(judged.overlap[2], 1);
});

Deno.test("successCurve() tells > from >=", () => {
  const judged = { ...judgeThree(box), overlap: Float64Array.of(0.5, 0.6) };
  const curve = (successIf: ">" | ">=") =>
    successCurve(judged, { successIf, successThresholds: [0.5] })[0];
  assertEquals([curve(">"), curve(">=")], [0.5, 1]);
});

Deno.test("centreError() and normalisedCentreError() take centres between the outer pixels", () => {
  const other = { x: 10, y: 13, w: 20, h: 22 };
  assertEquals(centreError(other, box), 4);
  assertAlmostEquals(normalisedCentreError(other, box), 0.2);
  assertEquals(normalisedCentreError(other, { ...box, h: 0.5 }, "size, at least 1"), 13.75);
});

Deno.test("judgeFrames() refuses other lengths, and bounds without a size", () => {
  assertThrows(
    () => judgeFrames([box], { boxes: [box, box] }, pysot.ope),
    RangeError,
    "expected 2",
  );
  const boxes = Array(12).fill(box);
  assertThrows(() => judgeFrames(boxes, { boxes }, vot.ope), RangeError, "size of the pictures");
});
