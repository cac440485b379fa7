import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  accuracyRobustness,
  failureFrames,
  meanOverRepetitions,
  nanMean,
  startFrames,
  withoutBurnIn,
} from "../../src/evaluation/ar.ts";
import { pictureBounds, toRegion } from "../../src/evaluation/region.ts";
import { votOverlaps } from "../../src/evaluation/vot_overlap.ts";
import { Trajectory } from "../../src/evaluation/trajectory.ts";
import { readGolden, toTrajectory } from "./golden.ts";

const golden = readGolden("vot_statistics");

interface GoldenSequence {
  readonly name: string;
  readonly gt: number[][];
  readonly runs: number[][][];
  readonly width: number;
  readonly height: number;
}

Deno.test("withoutBurnIn() leaves the golden overlaps", () => {
  for (const { name, gt, runs, width, height } of golden.sequences as GoldenSequence[]) {
    const run = toTrajectory(runs[0]);
    const truth = gt.map((row) => toRegion(row)!);
    const overlaps = votOverlaps(run, truth, pictureBounds({ w: width, h: height }));
    assertEquals([...withoutBurnIn(overlaps, run)], golden.overlaps[name], name);
    assertEquals([failureFrames(run).length], golden.failures[name], name);
  }
});

Deno.test("failureFrames() finds the golden frames", () => {
  golden.sequences.forEach(({ runs }: GoldenSequence, i: number) => {
    const [count, frames] = golden.calculate_failures[i];
    assertEquals(failureFrames(toTrajectory(runs[0])), frames);
    assertEquals(frames.length, count);
  });
});

Deno.test("startFrames() finds marks of 1 only", () => {
  assertEquals(startFrames(Trajectory.of([1, { x: 0, y: 0, w: 1, h: 1 }, 2, 0, 1])), [0, 4]);
});

Deno.test("meanOverRepetitions() leaves out what is missing", () => {
  const runs = [Float64Array.of(NaN, 0.5, NaN), Float64Array.of(NaN, 0.7, 0.2)];
  const mean = meanOverRepetitions(runs);
  assertEquals(mean[0], NaN);
  assertAlmostEquals(mean[1], 0.6);
  assertEquals(mean[2], 0.2);
});

Deno.test("nanMean() of nothing is NaN", () => assertEquals(nanMean([NaN]), NaN));

Deno.test("accuracyRobustness() weighs frames or lengths", () => {
  const parts = [
    { overlaps: Float64Array.of(NaN, 0.5), accuracy: 0.5, lost: 2, frames: 2 },
    { overlaps: Float64Array.of(1, 1, 1, NaN, NaN, NaN), accuracy: 1, lost: 1, frames: 6 },
  ];
  assertEquals(accuracyRobustness(parts), {
    accuracy: 3.5 / 4,
    robustness: 100 * 3 / 8,
    lost: 3,
    frames: 8,
  });
  assertEquals(accuracyRobustness(parts, "lengths"), {
    accuracy: (0.5 * 2 + 6) / 8,
    robustness: (2 * 2 + 6) / 8,
    lost: 3,
    frames: 8,
  });
});
