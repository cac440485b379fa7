import { assertAlmostEquals, assertEquals } from "@std/assert";
import { cropTarget } from "../../src/data/cropper.ts";
import { targetInCrop } from "../../src/geometry/context.ts";
import { assertSamePixels, casesWith, golden, goldenImage } from "../image/golden.ts";
import { fixtureJson } from "./golden.ts";

Deno.test("cropTarget() cuts the search and template crops of the reference", async () => {
  for (const kind of ["x", "z"] as const) {
    for (const one of casesWith(golden.crop511, (it) => [it.image, it[kind]])) {
      const [x1, y1, x2, y2] = one.box_x1y1x2y2;
      const box = { x1, y1, x2, y2 };
      const options = { kind: kind === "x" ? "search" : "template" } as const;
      const { image } = cropTarget(await goldenImage(one.image), box, options);
      assertSamePixels(image, await goldenImage(one[kind]), one[kind]);
    }
  }
});

Deno.test("cropTarget() says where the target is, as _get_bbox does", async () => {
  const { exemplar_size, context_amount, cases } = fixtureJson("get_bbox.json");
  const options = { exemplarSize: exemplar_size, contextAmount: context_amount };
  for (const { image_h, image_w, shape, bbox } of cases) {
    const [w, h] = shape.length === 4 ? [shape[2] - shape[0], shape[3] - shape[1]] : shape;
    const box = targetInCrop({ w: image_w, h: image_h }, { w, h }, options);
    Object.values(box).forEach((side, i) => assertAlmostEquals(side, bbox[i], 1e-10));
  }
  const frame = await goldenImage("noise.png");
  const { box } = cropTarget(frame, { x1: 10, y1: 20, x2: 110, y2: 80 });
  assertEquals(
    Object.values(box).map((side) => side.toFixed(8)),
    cases[0].bbox.map((side: number) => side.toFixed(8)),
  );
});
