import { assertAlmostEquals } from "@std/assert";
import { CONVENTIONS } from "../../../src/evaluation/conventions.ts";
import { longTerm } from "../../../src/evaluation/protocols/long_term.ts";
import { toRegion } from "../../../src/evaluation/region.ts";
import { readGolden, toTrajectory } from "../golden.ts";

const golden = readGolden("f1");

function scoreGolden(convention = CONVENTIONS.pysot) {
  const rules = { benchmark: "VOT2018-LT", convention };
  const scored = golden.sequences.map((s: {
    name: string;
    gt: number[][];
    pred: number[][];
    confidence: number[];
    width: number;
    height: number;
  }) => {
    const truth = s.gt.map((row) => row.length === 1 ? null : toRegion(row)!);
    const size = { w: s.width, h: s.height };
    const sequence = { name: s.name, frames: [], truth, attributes: [], size };
    const confidences = [Float64Array.from(s.confidence)];
    const result = { runs: [toTrajectory(s.pred)], confidences };
    return { sequence, ...longTerm.scoreSequence(sequence, result, rules) };
  });
  return longTerm.combine(scored, rules).values;
}

Deno.test("longTerm has the golden F, precision and recall", () => {
  const values = scoreGolden();
  for (const key of ["f1", "precision", "recall"]) {
    assertAlmostEquals(values[key], golden.best[key], 1e-9, key);
  }
});

Deno.test("longTerm under vot's rules is near pysot's", () =>
  assertAlmostEquals(scoreGolden(CONVENTIONS.vot).f1, golden.best.f1, 0.02));
