import { assertAlmostEquals, assertEquals } from "@std/assert";
import { pictureBounds, toRegion } from "../../src/evaluation/region.ts";
import { votOverlap, votOverlaps, votOverlapsWithin } from "../../src/evaluation/vot_overlap.ts";
import { Rng } from "../../src/random.ts";
import { Trajectory } from "../../src/evaluation/trajectory.ts";
import { readGolden } from "./golden.ts";

const { cases } = readGolden("vot_overlap");

function boundsOf(numbers: number[] | null) {
  if (numbers === null) return undefined;
  if (numbers.length === 2) return pictureBounds({ w: numbers[0], h: numbers[1] });
  const [top, bottom, left, right] = numbers;
  return { top, bottom, left, right };
}

Deno.test("votOverlap() equals the toolkit's on all golden pairs", () => {
  for (const { tag, a, b, bounds, overlap } of cases) {
    if (a.length === 1 || b.length === 1) continue;
    const found = votOverlap(toRegion(a)!, toRegion(b)!, boundsOf(bounds));
    assertEquals(found, overlap, tag);
  }
});

Deno.test("votOverlap() is symmetric and does not depend on how a box is written", () => {
  const rng = new Rng(1);
  const draw = () => ({
    x: rng.uniform() * 90 - 20,
    y: rng.uniform() * 90 - 20,
    w: rng.uniform() * 60,
    h: rng.uniform() * 60,
  });
  const bounds = pictureBounds({ w: 64, h: 48 });
  for (let i = 0; i < 500; i++) {
    const a = draw(), b = draw();
    const { x, y, w, h } = b;
    const corners = { points: [x, y, x + w, y, x + w, y + h, x, y + h] };
    const overlap = votOverlap(a, b, bounds);
    assertEquals(votOverlap(b, a, bounds), overlap);
    assertEquals(votOverlap(a, corners, bounds), overlap);
    assertEquals(votOverlap(corners, a, bounds), overlap);
    assertEquals(votOverlap({ points: corners.points }, corners, bounds), votOverlap(b, b, bounds));
  }
});

Deno.test("votOverlap() of a box is the same however it is painted", () => {
  const rng = new Rng(4);
  const bounds = pictureBounds({ w: 64, h: 48 });
  for (let i = 0; i < 2000; i++) {
    const [x, y, w, h] = [rng.uniform() * 40, rng.uniform() * 30, rng.uniform() * 40, 20];
    // Whole numbers put corners on one line; some of these shapes are not convex, some cross.
    const scale = i % 2 === 0 ? 1 : 8;
    const points = Array.from({ length: 8 }, () => scale * rng.integer(Math.ceil(70 / scale)) - 5);
    const asBox = votOverlap({ x, y, w, h }, { points }, bounds);
    const corners = [x, y, x + w, y, x + w, y + h, x, y + h];
    assertEquals(votOverlap({ points: corners }, { points }, bounds), asBox, `${points}`);
  }
});

/** Paints as the reference does, pixel by pixel, and counts. */
function countedByMasks(a: number[], b: number[], size: number): number {
  const mask = (points: number[]) => {
    const xs = points.filter((_, i) => i % 2 === 0), ys = points.filter((_, i) => i % 2 === 1);
    const pixels = new Uint8Array(size * size);
    for (let row = 0; row < size; row++) {
      const nodes: number[] = [];
      for (let i = 0, j = xs.length - 1; i < xs.length; j = i++) {
        const touches = Math.min(ys[i], ys[j]) <= row && row <= Math.max(ys[i], ys[j]);
        if (touches && ys[i] !== ys[j]) {
          nodes.push(Math.trunc(xs[i] + (row - ys[i]) / (ys[j] - ys[i]) * (xs[j] - xs[i])));
        }
      }
      nodes.sort((p, q) => p - q);
      for (let i = 0; i < nodes.length - 1;) {
        if (nodes[i] === nodes[i + 1]) i++;
        else {
          for (let x = nodes[i]; x <= nodes[i + 1]; x++) pixels[row * size + x] = 1;
          i += 2;
        }
      }
    }
    return pixels;
  };
  const p = mask(a), q = mask(b);
  const both = p.reduce((sum, pixel, i) => sum + (pixel & q[i]), 0);
  return Math.fround(both / p.reduce((sum, pixel, i) => sum + (pixel | q[i]), 0));
}

Deno.test("votOverlap() equals counting pixels, for polygons that cross themselves too", () => {
  const rng = new Rng(2);
  // A corner at the origin and one at the end keep both on one grid.
  const draw = (corners: number) => [
    0,
    0,
    ...Array.from({ length: 2 * corners }, () => rng.integer(31)),
    30,
    30,
  ];
  for (let i = 0; i < 300; i++) {
    const a = draw(1 + rng.integer(5)), b = draw(1 + rng.integer(5));
    const found = votOverlap({ points: a }, { points: b });
    assertEquals(found, countedByMasks(a, b, 31), `${a} and ${b}`);
  }
});

Deno.test("votOverlaps() gives NaN for marks and absent targets and stops with the shorter list", () => {
  const box = { x: 0, y: 0, w: 9, h: 9 };
  assertEquals([...votOverlaps(Trajectory.of([1, box, box, 2, box]), [box, box, null, box])], [
    NaN,
    1,
    NaN,
    NaN,
  ]);
});

Deno.test("votOverlapsWithin() equals painting under each of the bounds", () => {
  const rng = new Rng(3);
  const draw = () =>
    Array.from({ length: 400 }, () => ({
      x: rng.uniform() * 60,
      y: rng.uniform() * 40,
      w: 5 + rng.uniform() * 30,
      h: 5 + rng.uniform() * 30,
    }));
  const run = Trajectory.of(draw()), truth = draw(), size = { w: 64, h: 48 };
  const bounds = [pictureBounds(size), pictureBounds(size, 1)];
  const found = votOverlapsWithin(run, truth, bounds);
  assertEquals(found, bounds.map((part) => votOverlaps(run, truth, part)));
});

Deno.test("votOverlap() counts the pixels of both edges", () => {
  const a = { x: 0, y: 0, w: 10, h: 10 };
  assertAlmostEquals(votOverlap(a, { ...a, x: 5, y: 5 }), 36 / (121 + 121 - 36), 1e-7);
});
