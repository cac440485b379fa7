import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { CONVENTIONS } from "../../../src/evaluation/conventions.ts";
import { restart } from "../../../src/evaluation/protocols/restart.ts";
import { type Answer, toRegion } from "../../../src/evaluation/region.ts";
import type { Sequence } from "../../../src/evaluation/sequence.ts";
import { Trajectory } from "../../../src/evaluation/trajectory.ts";
import { readGolden, toTrajectory } from "../golden.ts";

const golden = readGolden("vot_statistics");

interface GoldenSequence {
  readonly name: string;
  readonly gt: number[][];
  readonly runs: number[][][];
  readonly width: number;
  readonly height: number;
}

function scoreGolden(eao: { low: number; high: number }) {
  const rules = { benchmark: "VOT2018", convention: CONVENTIONS.pysot, eao };
  const scored = golden.sequences.map(({ name, gt, runs, width, height }: GoldenSequence) => {
    const truth = gt.map((row) => toRegion(row)!);
    const size = { w: width, h: height };
    const sequence = { name, frames: [], truth, attributes: [], size };
    const result = { runs: runs.map(toTrajectory) };
    return { sequence, ...restart.scoreSequence(sequence, result, rules) };
  });
  return restart.combine(scored, rules);
}

for (const [year, { low, high, eao }] of Object.entries<Record<string, number>>(golden.eao)) {
  Deno.test(`restart has the golden EAO with the range of ${year}`, () =>
    assertAlmostEquals(scoreGolden({ low, high }).values.eao, eao, 1e-6));
}

const box = { x: 10, y: 10, w: 20, h: 20 };
const half = { x: 10, y: 10, w: 20, h: 9.6 };

function sequenceOf(frames: number, tags?: Sequence["tags"]): Sequence {
  const truth = Array(frames).fill(box);
  return { name: "s", frames: [], truth, attributes: [], size: { w: 100, h: 100 }, tags };
}

function score(answers: Answer[][], convention = CONVENTIONS.pysot, tags?: Sequence["tags"]) {
  const rules = { benchmark: "VOT2018", convention, eao: { low: 2, high: 6 } };
  const runs = answers.map((run) => Trajectory.of(run));
  const sequence = sequenceOf(runs[0].length, tags);
  return restart.combine(
    [{ sequence, ...restart.scoreSequence(sequence, { runs }, rules) }],
    rules,
  );
}

Deno.test("restart averages repetitions: accuracy and lost number", () => {
  const good: Answer[] = [1, ...Array(14).fill(box)];
  const lost: Answer[] = [1, ...Array(10).fill(half), 2, 0, 0, 0];
  const { values } = score([good, lost]);
  assertEquals(values.lost_number, 0.5);
  // Frame 10 has an overlap in both, frames 11 to 14 in one.
  const overlap = 21 * 11 / (21 * 21);
  assertAlmostEquals(values.accuracy, ((1 + overlap) / 2 + 4) / 5, 1e-6);
});

Deno.test("restart weighs segments by tag", () => {
  const run: Answer[] = [1, half, 2, 0, 0, 0, 0, 1, box, box, box, box];
  const tags = {
    occlusion: [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    camera_motion: Array(12).fill(0),
  };
  const { attributes } = score([run], CONVENTIONS.vot, tags);
  assertEquals(Object.keys(attributes), ["all", "occlusion", "camera_motion", "empty"]);
  // Only the first segment, one frame of overlap and then zeros, has the tag.
  const overlap = 21 * 11 / (21 * 21);
  const mean = [2, 3, 4].reduce((sum, i) => sum + overlap / i, 0) / 3;
  assertAlmostEquals(attributes.occlusion.eao, mean, 1e-6);
  assertEquals(attributes.camera_motion.eao, NaN);
  assertAlmostEquals(attributes.empty.eao, 1, 1e-6);
});

Deno.test("restart refuses conventions without rules and pictures without a size", () => {
  const run: Answer[] = [1, box];
  assertThrows(() => score([run], CONVENTIONS.got10k), RangeError, "has no rules");
  const sequence = { ...sequenceOf(2), size: undefined };
  const rules = { benchmark: "VOT2018", convention: CONVENTIONS.pysot };
  assertThrows(
    () => restart.scoreSequence(sequence, { runs: [Trajectory.of(run)] }, rules),
    RangeError,
    "is not known",
  );
});
