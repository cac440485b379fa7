import { assertAlmostEquals, assertEquals } from "@std/assert";
import type { Ltwh } from "../../src/geometry/boxes.ts";
import { CONVENTIONS, opeRules } from "../../src/evaluation/conventions.ts";
import { boundedIou, meanOverlap, successRate } from "../../src/evaluation/got10k.ts";
import { centreError } from "../../src/evaluation/ope.ts";
import { onePass } from "../../src/evaluation/protocols/one_pass.ts";
import { Trajectory } from "../../src/evaluation/trajectory.ts";
import { readGolden } from "./golden.ts";

const golden = readGolden("got10k");
const rules = { benchmark: "GOT-10k", convention: CONVENTIONS.got10k };

function toBox([x, y, w, h]: number[]): Ltwh {
  return { x, y, w, h };
}

const scored = golden.sequences.map(
  ({ gt, pred, cover, bound }: {
    gt: number[][];
    pred: number[][];
    cover: number[];
    bound: number[];
  }, i: number) => {
    const size = { w: bound[0], h: bound[1] };
    const truth = gt.map(toBox);
    const sequence = { name: `s${i}`, frames: [], truth, attributes: ["a"], size, cover };
    return {
      sequence,
      ...onePass.scoreSequence(sequence, { runs: [Trajectory.of(pred.map(toBox))] }, rules),
    };
  },
);

Deno.test("boundedIou() equals the golden overlaps, bounded or not", () => {
  for (const sequence of golden.sequences) {
    const { gt, pred, bound, iou_unbounded, iou_frames_1_on, cover, center_error } = sequence;
    const size = { w: bound[0], h: bound[1] };
    gt.forEach((box: number[], i: number) => {
      const [p, q] = [toBox(pred[i]), toBox(box)];
      assertAlmostEquals(boundedIou(p, q), iou_unbounded[i], 1e-12);
      assertAlmostEquals(centreError(p, q), center_error[i], 1e-12);
    });
    const bounded = gt.map((box: number[], i: number) =>
      boundedIou(toBox(pred[i]), toBox(box), size)
    );
    const counted = bounded.slice(1).filter((_: number, i: number) => cover[i + 1] > 0);
    const expected = iou_frames_1_on.length === counted.length ? counted : bounded.slice(1);
    expected.forEach((overlap: number, i: number) =>
      assertAlmostEquals(overlap, iou_frames_1_on[i], 1e-12)
    );
  }
});

Deno.test("a sequence has the golden AO and SR", () => {
  golden.sequences.forEach((sequence: Record<string, number>, i: number) => {
    assertAlmostEquals(scored[i].values.ao, sequence.ao, 1e-12);
    assertAlmostEquals(scored[i].values["sr_0.5"], sequence["sr_0.5"], 1e-12);
  });
});

Deno.test("all frames together have the golden AO, SR and curve", () => {
  const { values, curves } = onePass.combine(scored, rules);
  assertAlmostEquals(values.ao, golden.overall.ao, 1e-12);
  assertAlmostEquals(values["sr_0.5"], golden.overall["sr_0.5"], 1e-12);
  assertAlmostEquals(values["sr_0.75"], golden.overall["sr_0.75"], 1e-12);
  golden.overall.succ_curve_101.forEach((share: number, i: number) =>
    assertAlmostEquals(curves.success.y[i], share, 1e-12)
  );
});

Deno.test("meanOverlap() and successRate() leave out what has no truth", () => {
  const overlaps = Float64Array.of(-1, NaN, 0.5, 0.8);
  assertAlmostEquals(meanOverlap(overlaps), 0.65);
  assertEquals(successRate(overlaps, 0.5), 0.5);
});

Deno.test("opeRules() has other rules for GOT-10k only", () => {
  assertEquals(opeRules(CONVENTIONS.got10k, "GOT-10k").average, "frames");
  assertEquals(opeRules(CONVENTIONS.got10k, "OTB100").average, "sequences");
});
