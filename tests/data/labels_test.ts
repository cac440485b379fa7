import { assertEquals } from "@std/assert";
import {
  createPointLabels,
  labelPoints,
  POINT_COUNTS,
  pointTarget,
} from "../../src/data/labels.ts";
import { pointGrid } from "../../src/geometry/points.ts";
import { Rng } from "../../src/random.ts";
import { fixtureJson, fixtureTensors } from "./golden.ts";

const golden = fixtureJson("point_target.json");
const tensors = await fixtureTensors("point_target.safetensors.gz");

interface Row {
  name: string;
  box_x1y1x2y2: [number, number, number, number];
  n_pos: number;
  n_neg: number;
  n_neg_pair: number;
}

function cornerOf({ box_x1y1x2y2: [x1, y1, x2, y2] }: Row) {
  return { x1, y1, x2, y2 };
}

function gridOf(config: { stride: number; output_size: number; search_size: number }) {
  const center = Math.floor(config.search_size / 2);
  return pointGrid({ stride: config.stride, size: config.output_size, center });
}

/** The b-th image of `[n, S * S]`, and of `[n, 4, S * S]` with the planes last. */
function goldenLabels(key: string, b: number, cells: number) {
  const cls = tensors.get(`${key}.cls`)!.data.slice(b * cells, (b + 1) * cells);
  const pair = tensors.get(`${key}.cls_neg_pair`)!.data.slice(b * cells, (b + 1) * cells);
  const planes = tensors.get(`${key}.delta`)!.data.slice(b * 4 * cells, (b + 1) * 4 * cells);
  const loc = Array.from({ length: 4 * cells }, (_, i) => planes[(i & 3) * cells + (i >> 2)]);
  return { cls: [...cls], pair: [...pair], loc };
}

for (const config of golden.configs) {
  const points = gridOf(config);
  config.rows.forEach((row: Row, b: number) => {
    Deno.test(`labelPoints() equals the reference on ${config.key}, ${row.name}`, () => {
      const expected = goldenLabels(config.key, b, points.x.length);
      const labels = labelPoints(cornerOf(row), { points });
      assertEquals([...labels.cls], expected.cls);
      assertEquals([...labels.loc].map(Math.fround), expected.loc);
      const pair = labelPoints(cornerOf(row), { points, negativePair: true });
      assertEquals([...pair.cls], expected.pair);
      assertEquals(pair.loc.every((value) => value === 0), true);
    });
  });
}

const config = golden.configs[0];

golden.selected_counts.rows.forEach((counts: Row, b: number) => {
  Deno.test(`pointTarget() keeps as many points as the reference on ${counts.name}`, () => {
    const points = gridOf(config), box = cornerOf(config.rows[b]);
    const count = (cls: Int32Array, label: number) => cls.filter((value) => value === label).length;
    const all = labelPoints(box, { points }).cls;
    const { cls } = pointTarget(box, { points, rng: new Rng(1) });
    assertEquals([count(cls, 1), count(cls, 0)], [counts.n_pos, counts.n_neg]);
    assertEquals(cls.every((label, i) => label === -1 || label === all[i]), true);
    const pair = pointTarget(box, { points, rng: new Rng(1), negativePair: true }).cls;
    assertEquals([count(pair, 1), count(pair, 0)], [0, counts.n_neg_pair]);
  });
});

Deno.test("pointTarget() keeps every positive point equally often", () => {
  const points = gridOf(config);
  const box = { x1: 40, y1: 30, x2: 220, y2: 215 }; // 103 positives, of which 16 stay
  const kept = new Float64Array(points.x.length);
  const labels = createPointLabels(points);
  for (let seed = 0; seed < 2000; seed++) {
    pointTarget(box, { points, rng: new Rng(seed) }, labels).cls.forEach((label, i) =>
      kept[i] += label === 1 ? 1 : 0
    );
  }
  const shares = kept.filter((n) => n > 0).map((n) => n / 2000);
  assertEquals(shares.length, 103);
  // 2000 draws of probability 0.155: five standard deviations
  assertEquals(
    shares.every((share) => Math.abs(share - POINT_COUNTS.positive / 103) < 0.041),
    true,
  );
});
