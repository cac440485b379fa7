import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import * as boxes from "../../src/geometry/boxes.ts";
import golden from "../fixtures/geometry/boxes.json" with { type: "json" };

type Four = readonly number[];
const toCorner = ([x1, y1, x2, y2]: Four) => ({ x1, y1, x2, y2 });
const toCenter = ([cx, cy, w, h]: Four) => ({ cx, cy, w, h });
const toLtwh = ([x, y, w, h]: Four) => ({ x, y, w, h });

function assertClose(actual: object, expected: object): void {
  assertEquals(Object.keys(actual), Object.keys(expected));
  const wanted: number[] = Object.values(expected);
  Object.values(actual).forEach((value, i) => assertAlmostEquals(value, wanted[i], 1e-10));
}

Deno.test("conversions between Corner and Center equal the reference", () => {
  for (const c of golden.corner2center) {
    assertEquals(boxes.cornerToCenter(toCorner(c.in)), toCenter(c.out));
  }
  for (const c of golden.center2corner) {
    assertEquals(boxes.centerToCorner(toCenter(c.in)), toCorner(c.out));
  }
});

Deno.test("conversions between Center and Ltwh equal the reference", () => {
  for (const c of golden.cxy_wh_2_rect) {
    assertClose(boxes.centerToLtwh(toCenter(c.in)), toLtwh(c.out));
  }
  for (const c of golden.rect_2_cxy_wh) {
    assertClose(boxes.ltwhToCenter(toLtwh(c.in)), toCenter(c.out));
  }
});

Deno.test("ltwhToCorner() and cornerToLtwh() are inverse", () => {
  const box = { x: 3, y: -4, w: 5, h: 6 };
  assertEquals(boxes.ltwhToCorner(box), { x1: 3, y1: -4, x2: 8, y2: 2 });
  assertEquals(boxes.cornerToLtwh(boxes.ltwhToCorner(box)), box);
});

Deno.test("iou() equals the reference", () => {
  for (const { a, b, iou } of golden.IoU) {
    assertAlmostEquals(boxes.iou(toCorner(a), toCorner(b)), iou, 1e-14);
  }
});

Deno.test("iou() of boxes that touch is 0, of equal boxes 1, without area NaN", () => {
  const box = { x1: 0, y1: 0, x2: 2, y2: 3 }, empty = { x1: 0, y1: 0, x2: 0, y2: 0 };
  assertEquals(boxes.iou(box, { x1: 2, y1: 0, x2: 4, y2: 3 }), 0);
  assertEquals(boxes.iou(box, box), 1);
  assert(Number.isNaN(boxes.iou(empty, empty)));
});

Deno.test("polygonToBox() and polygonToMinMaxBox() equal the reference", () => {
  for (const { region, cxcywh } of golden.get_axis_aligned_bbox) {
    assertClose(boxes.polygonToBox(region), toCenter(cxcywh));
  }
  for (const { region, cxcywh } of golden.get_min_max_bbox) {
    assertClose(boxes.polygonToMinMaxBox(region), toCenter(cxcywh));
  }
});

Deno.test("polygonToBox() refuses a region of another length", () => {
  assertThrows(() => boxes.polygonToBox([1, 2, 3]), RangeError, "3 numbers");
});
