import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { pointGrid } from "../../src/geometry/points.ts";
import { cosineWindow, selectBox } from "../../src/tracking/select.ts";

const SIZE = 3;
const points = pointGrid({ stride: 8, size: SIZE });
const flat = new Float64Array(SIZE * SIZE);

/** A response of nine points that all see the target, 20 x 20, around themselves. */
function response(changes: Readonly<Record<number, { score?: number; box?: number[] }>> = {}) {
  const scores = new Float32Array(9).fill(0.5);
  const distances = new Float32Array(36).fill(10);
  for (const [i, { score, box }] of Object.entries(changes)) {
    if (score !== undefined) scores[Number(i)] = score;
    if (box) distances.set(box, 4 * Number(i));
  }
  return { scores, distances };
}

const OPTIONS = {
  points,
  window: flat,
  previous: { w: 20, h: 20 },
  penaltyK: 0.1,
  windowInfluence: 0,
};

Deno.test("cosineWindow() is NumPy's outer product of hanning windows", () => {
  const window = cosineWindow(25);
  const hann = [0, 0.0170370868554659, 0.06698729810778065];
  for (const [i, a] of hann.entries()) {
    for (const [j, b] of hann.entries()) {
      for (const at of [25 * i + j, 25 * (24 - i) + j, 25 * (24 - i) + 24 - j]) {
        assertAlmostEquals(window[at], a * b, 1e-15);
      }
    }
  }
  assertEquals(window[25 * 12 + 12], 1);
  assertEquals(cosineWindow(1), Float64Array.of(1));
});

Deno.test("selectBox() gives the box of the best score, relative to the centre", () => {
  // The point of row 2, column 0: x is -8, y is 8.
  const found = selectBox(response({ 6: { score: 0.75, box: [4, 10, 16, 10] } }), OPTIONS);
  assertEquals(found, { box: { cx: -2, cy: 8, w: 20, h: 20 }, score: 0.75, penalty: 1 });
});

Deno.test("selectBox() takes the first of equals", () => {
  assertEquals(selectBox(response(), OPTIONS).box, { cx: -8, cy: -8, w: 20, h: 20 });
});

Deno.test("selectBox() penalises changes of size and of shape", () => {
  const wide = [20, 10, 20, 10]; // 40 x 20
  const { penalty, score } = selectBox(response({ 4: { score: 1, box: wide } }), OPTIONS);
  const padded = (w: number, h: number) => Math.sqrt((w + (w + h) / 2) * (h + (w + h) / 2));
  const scaleChange = padded(40, 20) / padded(20, 20), ratioChange = 2;
  assertAlmostEquals(penalty, Math.exp(-(scaleChange * ratioChange - 1) * 0.1), 1e-7);
  assertEquals(score, 1);
  // A shrunk box counts like a grown one.
  const narrow = selectBox(response({ 4: { score: 1, box: [5, 10, 5, 10] } }), OPTIONS);
  const change = padded(20, 20) / padded(10, 20) * 2;
  assertAlmostEquals(narrow.penalty, Math.exp(-(change - 1) * 0.1), 1e-7);
  // Hard enough, the penalty lets another point win.
  const strict = selectBox(response({ 4: { score: 1, box: wide } }), { ...OPTIONS, penaltyK: 2 });
  assertEquals([strict.score, strict.penalty], [0.5, 1]);
});

Deno.test("selectBox() prefers the centre as much as the window counts", () => {
  const options = { ...OPTIONS, window: cosineWindow(SIZE), windowInfluence: 0.4 };
  const corner = (score: number) => selectBox(response({ 0: { score } }), options).box.cx;
  assertEquals(corner(0.9), 0); // 0.9 * 0.6 < 0.5 * 0.6 + 0.4
  assertEquals(corner(1.2), -8);
});

Deno.test("selectBox() passes by boxes that are turned inside out or without end", () => {
  const insideOut = [-10, 10, -10, 10], flatBox = [10, 5, 10, -5];
  const broken = [NaN, 10, 10, 10], endless = [10, 10, Infinity, 10];
  const found = selectBox(
    response({
      0: { score: 1, box: insideOut },
      1: { score: 1, box: flatBox },
      2: { score: 1, box: broken },
      4: { score: 1, box: endless },
      8: { score: 0.6 },
    }),
    OPTIONS,
  );
  assertAlmostEquals(found.score, 0.6, 1e-7);
  assertEquals(found.box, { cx: 8, cy: 8, w: 20, h: 20 });
});

Deno.test("selectBox() leaves the target where it is without any candidate", () => {
  const { scores } = response();
  const distances = new Float32Array(36).fill(-1);
  const found = selectBox({ scores, distances }, OPTIONS);
  assertEquals(found, { box: { cx: 0, cy: 0, w: 20, h: 20 }, score: 0, penalty: 0 });
  const unknown = selectBox({ scores: scores.fill(NaN), distances: distances.fill(5) }, OPTIONS);
  assert(Number.isFinite(unknown.box.cx) && unknown.score === 0);
});
