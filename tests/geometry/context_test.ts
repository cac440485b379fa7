import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  clipToImage,
  cropBoxes,
  exemplarContext,
  targetInCrop,
  trackerSearch,
  trackerTemplateSide,
} from "../../src/geometry/context.ts";
import golden from "../fixtures/geometry/get_bbox.json" with { type: "json" };

Deno.test("targetInCrop() equals the reference's _get_bbox", () => {
  const { exemplar_size: exemplarSize, context_amount: contextAmount } = golden;
  for (const { image_w, image_h, shape, bbox } of golden.cases) {
    const [w, h] = shape.length === 4 ? [shape[2] - shape[0], shape[3] - shape[1]] : shape;
    const box = targetInCrop({ w: image_w, h: image_h }, { w, h }, { exemplarSize, contextAmount });
    [box.x1, box.y1, box.x2, box.y2].forEach((v, i) => assertAlmostEquals(v, bbox[i], 1e-12));
  }
});

Deno.test("cropBoxes() gives the sides of the crop511 recipe around the target's centre", () => {
  const target = { x1: 292.23, y1: 128.36, x2: 438.19, y2: 260.83 };
  const { exemplar, search, exemplarSide, searchSide } = cropBoxes(target);
  assertEquals([exemplarSide, searchSide], [278.3482887948118, 1119.9683116074712]);
  assertAlmostEquals(exemplar.x2 - exemplar.x1, exemplarSide, 1e-12);
  assertAlmostEquals((search.y1 + search.y2) / 2, (target.y1 + target.y2) / 2, 1e-12);
});

Deno.test("cropBoxes() follows its context amount and sizes", () => {
  const boxes = cropBoxes({ x1: 0, y1: 0, x2: 40, y2: 40 }, {
    contextAmount: 0,
    exemplarSize: 100,
    searchSize: 300,
  });
  assertEquals([boxes.exemplarSide, boxes.searchSide], [40, 120]);
});

Deno.test("tracker sides are rounded half to even, the scale is not", () => {
  assertEquals(trackerTemplateSide({ w: 2.5, h: 2.5 }, 0), 2); // Math.round would say 3
  assertEquals(trackerTemplateSide({ w: 3.5, h: 3.5 }, 0), 4);
  const size = { w: 60.5, h: 80.75 };
  const side = exemplarContext(size);
  assertEquals(trackerSearch(size), {
    scale: 127 / side,
    side: Math.round(side * (255 / 127)),
  });
});

Deno.test("clipToImage() keeps the centre in the image and the size within 10 px and the image", () => {
  assertEquals(clipToImage({ cx: -5, cy: 500, w: 2, h: 900 }, { w: 640, h: 480 }), {
    cx: 0,
    cy: 480,
    w: 10,
    h: 480,
  });
});
