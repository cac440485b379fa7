import { assertAlmostEquals, assertEquals } from "@std/assert";
import { Trajectory } from "../../../src/evaluation/trajectory.ts";
import type { Ltwh } from "../../../src/geometry/boxes.ts";
import { CONVENTIONS } from "../../../src/evaluation/conventions.ts";
import { onePass } from "../../../src/evaluation/protocols/one_pass.ts";
import { readGolden } from "../golden.ts";

const golden = readGolden("ope");
const rules = { benchmark: "OTB100", convention: CONVENTIONS.pysot };

function toBox([x, y, w, h]: number[]): Ltwh {
  return { x, y, w, h };
}

Deno.test("onePass has the golden summary", () => {
  for (const tracker of ["A", "B"]) {
    const scored = golden.sequences.map(({ name, gt, visible, ...runs }: Record<string, never>) => {
      const sequence = {
        name: String(name),
        frames: [],
        truth: (gt as number[][]).map(toBox),
        attributes: [],
        visible: (visible as number[] | null)?.map((mark) => mark === 1),
      };
      const result = {
        runs: [Trajectory.of((runs as Record<string, number[][]>)[tracker].map(toBox))],
      };
      return { sequence, ...onePass.scoreSequence(sequence, result, rules) };
    });
    const { values } = onePass.combine(scored, rules);
    const { success_auc, precision_20px, ["norm_precision_0.2"]: norm } = golden.summary[tracker];
    assertAlmostEquals(values.success_auc, success_auc, 1e-9);
    assertAlmostEquals(values.precision_20px, precision_20px, 1e-9);
    assertAlmostEquals(values.norm_precision, norm, 1e-9);
  }
});

const box = { x: 10, y: 10, w: 20, h: 20 };

function scoreOf(name: string, attributes: string[], answer: Ltwh, frames = 4) {
  const sequence = { name, frames: [], truth: Array(frames).fill(box), attributes };
  const result = { runs: [Trajectory.of(Array(frames).fill(answer))] };
  return { sequence, ...onePass.scoreSequence(sequence, result, rules) };
}

Deno.test("onePass averages over sequences, and over those of each attribute", () => {
  const half = { ...box, h: 10 };
  const { values, attributes, sequences } = onePass.combine(
    [scoreOf("a", ["OCC", "FM"], box), scoreOf("b", ["OCC"], half, 400)],
    rules,
  );
  assertAlmostEquals(values.ao, 0.75);
  assertEquals(Object.keys(attributes), ["FM", "OCC"]);
  assertAlmostEquals(attributes.FM.ao, 1);
  assertAlmostEquals(attributes.OCC.ao, 0.75);
  assertAlmostEquals(sequences.b.ao, 0.5);
});

Deno.test("onePass averages repetitions", () => {
  const sequence = { name: "a", frames: [], truth: [box, box], attributes: [] };
  const half = { ...box, h: 10 };
  const { values } = onePass.scoreSequence(sequence, {
    runs: [Trajectory.of([box, box]), Trajectory.of([half, half])],
  }, rules);
  assertAlmostEquals(values.ao, 0.75);
});

Deno.test("onePass takes a mark in the first frame for the given box", () => {
  const sequence = { name: "a", frames: [], truth: [box, box], attributes: [] };
  assertEquals(
    onePass.scoreSequence(sequence, { runs: [Trajectory.of([1, box])] }, rules).values.ao,
    1,
  );
});
