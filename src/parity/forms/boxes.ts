import { z } from "zod";
import * as boxes from "../../geometry/boxes.ts";
import { targetInCrop } from "../../geometry/context.ts";
import { type Deviation, worstOf } from "../check.ts";
import { differenceOf } from "../compare.ts";
import { attempt, defineForm, real, reals } from "../form.ts";

/** Pixels; only the order of additions may differ. */
const TOLERANCE = 1e-9;

type Four = readonly number[];

const toCorner = ([x1, y1, x2, y2]: Four) => ({ x1, y1, x2, y2 });
const toCenter = ([cx, cy, w, h]: Four) => ({ cx, cy, w, h });
const toLtwh = ([x, y, w, h]: Four) => ({ x, y, w, h });

const pair = z.array(z.object({ in: reals(), out: reals() })).optional();
const region = z.array(z.object({ region: reals(), cxcywh: reals() })).optional();

/** Conversions by their names in the reference; the results are the numbers of its arrays. */
const CONVERSIONS = {
  corner2center: (box: Four) => boxes.cornerToCenter(toCorner(box)),
  center2corner: (box: Four) => boxes.centerToCorner(toCenter(box)),
  cxy_wh_2_rect: (box: Four) => boxes.centerToLtwh(toCenter(box)),
  rect_2_cxy_wh: (box: Four) => boxes.ltwhToCenter(toLtwh(box)),
} as const;

const REGIONS = {
  get_axis_aligned_bbox: boxes.polygonToBox,
  get_min_max_bbox: boxes.polygonToMinMaxBox,
} as const;

/** Conversions that this program has no use for: it counts pixels from 0 everywhere. */
const ONE_BASED = ["cxy_wh_2_rect1", "rect1_2_cxy_wh"] as const;

/** Box conversions and overlap. */
export const boxesForm = defineForm({
  section: "data",
  content: z.object({
    corner2center: pair,
    center2corner: pair,
    cxy_wh_2_rect: pair,
    rect_2_cxy_wh: pair,
    cxy_wh_2_rect1: z.unknown().optional(),
    rect1_2_cxy_wh: z.unknown().optional(),
    get_axis_aligned_bbox: region,
    get_min_max_bbox: region,
    IoU: z.array(z.object({ a: reals(), b: reals(), iou: real() })).optional(),
  }).refine((kinds) => Object.keys(kinds).length > 0),
  async *compare({ path, content }) {
    for (const [name, convert] of Object.entries(CONVERSIONS)) {
      const cases = content[name as keyof typeof CONVERSIONS];
      if (!cases) continue;
      yield* attempt(
        name,
        () => worstOf(name, cases.map((one) => deviation(one.in, convert(one.in), one.out))),
      );
    }
    for (const [name, convert] of Object.entries(REGIONS)) {
      const cases = content[name as keyof typeof REGIONS];
      if (!cases) continue;
      yield* attempt(name, () =>
        worstOf(
          name,
          cases.map(({ region, cxcywh }) => deviation(region, convert(region), cxcywh)),
        ));
    }
    const { IoU } = content;
    if (IoU) {
      const overlaps = IoU.map(({ a, b, iou }) =>
        deviation([...a, ...b], { iou: boxes.iou(toCorner(a), toCorner(b)) }, [iou])
      );
      yield worstOf("IoU", overlaps);
    }
    for (const name of ONE_BASED) {
      if (!(name in content)) continue;
      yield { name: `${path}: ${name}`, reason: "boxes counted from 1 have no function here" };
    }
  },
});

function deviation(input: Four, found: object, expected: Four): Deviation {
  const { most: error } = differenceOf(Object.values(found), expected);
  return { item: `[${input}]`, error, tolerance: TOLERANCE };
}

/** Where the target is in a prepared crop. */
export const targetInCropForm = defineForm({
  section: "data",
  content: z.object({
    exemplar_size: real(),
    context_amount: real(),
    cases: z.array(
      z.object({ image_w: real(), image_h: real(), shape: reals(), bbox: reals() }),
    ),
  }),
  *compare({ content: { exemplar_size, context_amount, cases } }) {
    const options = { exemplarSize: exemplar_size, contextAmount: context_amount };
    const deviations = cases.map(({ image_w, image_h, shape, bbox }) => {
      const [w, h] = shape.length === 4 ? [shape[2] - shape[0], shape[3] - shape[1]] : shape;
      return deviation(shape, targetInCrop({ w: image_w, h: image_h }, { w, h }, options), bbox);
    });
    yield worstOf("get_bbox", deviations);
  },
});
