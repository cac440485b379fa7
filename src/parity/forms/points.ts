import { z } from "zod";
import {
  createPointLabels,
  labelPoints,
  type PointCounts,
  type PointLabels,
  pointTarget,
} from "../../data/labels.ts";
import type { Corner } from "../../geometry/boxes.ts";
import { type PointGrid, pointGrid } from "../../geometry/points.ts";
import { Rng } from "../../random.ts";
import { type Check, check, type Deviation, worstOf } from "../check.ts";
import { differenceOf } from "../compare.ts";
import { attempt, defineForm, real, reals } from "../form.ts";
import { GoldenTensors } from "../golden_tensors.ts";

const gridCase = z.object({
  key: z.string(),
  stride: real(),
  size: real(),
  image_center: real(),
  first: real(),
  last: real(),
});

/** Grids of points. */
export const pointGridForm = defineForm({
  section: "data",
  content: z.object({ cases: z.array(gridCase).min(1) }),
  async *compare({ path, content, folder }) {
    const tensors = new GoldenTensors(await folder.tensorsBeside(path));
    for (const { key, stride, size, image_center: center, first, last } of content.cases) {
      const { x, y } = pointGrid({ stride, size, center });
      const ends = differenceOf([x[0], y[0], x.at(-1)!, y.at(-1)!], [first, first, last, last]);
      const deviations: Deviation[] = [{ item: "first and last", error: ends.most, tolerance: 0 }];
      if (tensors.has(key)) {
        const { data } = tensors.host(key);
        const { most } = differenceOf([...x, ...y], data as Float32Array);
        deviations.push({ item: "all points", error: most, tolerance: 0 });
      }
      yield worstOf(key, deviations);
    }
  },
});

const targetRow = z.object({ name: z.string(), box_x1y1x2y2: reals() });
const targetConfig = z.object({
  key: z.string(),
  output_size: real(),
  stride: real(),
  search_size: real(),
  rows: z.array(targetRow),
});
type TargetConfig = z.infer<typeof targetConfig>;

const countRow = z.object({
  name: z.string(),
  n_pos: real(),
  n_neg: real(),
  n_neg_pair: real(),
});
const selectedCounts = z.object({
  POS_NUM: real(),
  TOTAL_NUM: real(),
  NEG_NUM: real(),
  rows: z.array(countRow),
});

/** Labels of points, and how many of them a sample keeps. */
export const pointTargetForm = defineForm({
  section: "data",
  content: z.object({
    configs: z.array(targetConfig).min(1),
    selected_counts: selectedCounts.optional(),
  }),
  async *compare({ path, content: { configs, selected_counts }, folder }) {
    const tensors = new GoldenTensors(await folder.tensorsBeside(path));
    for (const config of configs) {
      yield* attempt(config.key, () => checkLabels(config, tensors));
    }
    if (!selected_counts) return;
    const [config] = configs;
    yield* attempt("selected_counts", () => checkCounts(selected_counts, config));
  },
});

const gridOf = ({ output_size: size, stride, search_size }: TargetConfig): PointGrid =>
  pointGrid({ stride, size, center: Math.floor(search_size / 2) });

const toCorner = ([x1, y1, x2, y2]: readonly number[]): Corner => ({ x1, y1, x2, y2 });

function checkLabels(config: TargetConfig, tensors: GoldenTensors): Check {
  const points = gridOf(config);
  const area = points.x.length;
  const golden = (what: string, row: number, values: number) =>
    Array.from(
      tensors.host(`${config.key}.${what}`).data.slice(row * values, (row + 1) * values),
      Number,
    );
  const deviations = config.rows.flatMap(({ name, box_x1y1x2y2 }, row): Deviation[] => {
    const box = toCorner(box_x1y1x2y2);
    const positive = labelPoints(box, { points });
    const negative = labelPoints(box, { points, negativePair: true });
    const compared = {
      cls: [positive.cls, golden("cls", row, area)],
      delta: [channelsFirst(positive), golden("delta", row, 4 * area)],
      cls_neg_pair: [negative.cls, golden("cls_neg_pair", row, area)],
      delta_neg_pair: [negative.loc, new Float32Array(4 * area)],
    } as const;
    return Object.entries(compared).map(([what, [found, expected]]) => ({
      item: `${name} ${what}`,
      error: differenceOf(found, expected).most,
      tolerance: 0,
    }));
  });
  return worstOf(config.key, deviations);
}

/** Distances in the order of the file, `[4, S, S]`. */
function channelsFirst({ loc }: PointLabels): Float32Array {
  const area = loc.length / 4;
  return Float32Array.from(loc, (_, i) => loc[4 * (i % area) + Math.floor(i / area)]);
}

function checkCounts(
  { POS_NUM, TOTAL_NUM, NEG_NUM, rows }: z.infer<typeof selectedCounts>,
  config: TargetConfig,
): Check {
  const points = gridOf(config);
  const counts: PointCounts = { positive: POS_NUM, total: TOTAL_NUM, negativePair: NEG_NUM };
  const boxes = new Map(config.rows.map(({ name, box_x1y1x2y2 }) => [name, box_x1y1x2y2]));
  const deviations = rows.flatMap(({ name, n_pos, n_neg, n_neg_pair }): Deviation[] => {
    const box = boxes.get(name);
    if (!box) return [{ item: `${name} has no box`, error: Infinity, tolerance: 0 }];
    const select = (negativePair: boolean) => {
      const rng = new Rng(1);
      const labels = createPointLabels(points);
      return pointTarget(toCorner(box), { points, rng, negativePair, counts }, labels).cls;
    };
    const countOf = (labels: Int32Array, label: number) =>
      labels.reduce((sum, value) => sum + Number(value === label), 0);
    const positive = select(false);
    const found = [countOf(positive, 1), countOf(positive, 0), countOf(select(true), 0)];
    const { most: error } = differenceOf(found, [n_pos, n_neg, n_neg_pair]);
    return [{ item: name, error, tolerance: 0 }];
  });
  if (deviations.length === 0) return check("selected_counts", { error: 0, tolerance: 0 });
  return worstOf("selected_counts", deviations);
}
