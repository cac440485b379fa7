import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { centerToCorner, type Corner, cornerToCenter } from "../../src/geometry/boxes.ts";
import { cropBoxes } from "../../src/geometry/context.ts";
import { createImage, meanColor } from "../../src/image/image.ts";
import { warpCrop } from "../../src/image/warp.ts";
import { assertSamePixels, casesWith, golden, goldenImage, goldenPath } from "./golden.ts";

const toCorner = ([x1, y1, x2, y2]: readonly number[]): Corner => ({ x1, y1, x2, y2 });

Deno.test("warpCrop() equals the reference's crop511, bit for bit", async () => {
  for (const crop of casesWith(golden.crop511, ({ image, z }) => [image, z])) {
    const image = await goldenImage(crop.image);
    const border = meanColor(image);
    const boxes = cropBoxes(toCorner(crop.box_x1y1x2y2));
    assertEquals([...border], crop.padding_bgr);
    assertAlmostEquals(boxes.exemplarSide, crop.s_z, 1e-10);
    assertAlmostEquals(boxes.searchSide, crop.s_x, 1e-10);
    const z = warpCrop(image, boxes.exemplar, { size: 127, border });
    assertSamePixels(z, await goldenImage(crop.z), `${crop.tag} z`);
    if (!goldenPath(crop.x)) continue;
    const x = warpCrop(image, boxes.search, { size: 511, border });
    assertSamePixels(x, await goldenImage(crop.x), `${crop.tag} x`);
  }
});

Deno.test("warpCrop() equals the reference's _crop_roi, bit for bit", async () => {
  for (const roi of casesWith(golden.crop_roi, ({ image, output }) => [image, output])) {
    const crop = warpCrop(await goldenImage(roi.image), toCorner(roi.box), { size: roi.out_size });
    assertSamePixels(crop, await goldenImage(roi.output), roi.tag);
  }
});

Deno.test("warpCrop() equals the reference's _shift_scale_aug, bit for bit", async () => {
  for (const one of casesWith(golden.shift_scale, ({ output }) => [output])) {
    const image = await goldenImage(one.image);
    const box = shiftedAndScaled(toCorner(one.crop_bbox), image.width, one);
    const crop = warpCrop(image, box, { size: one.size });
    assertSamePixels(crop, await goldenImage(one.output), one.output);
  }
});

interface Draws {
  readonly shift: number;
  readonly scale: number;
  readonly uniform_draws: readonly number[];
}

/** The crop box of _shift_scale_aug, in a square picture. */
function shiftedAndScaled(
  box: Corner,
  side: number,
  { shift, scale, uniform_draws }: Draws,
): Corner {
  const draws = uniform_draws.map((r) => r * 2 - 1);
  let center = cornerToCenter(box);
  if (scale) {
    const [x, y] = draws.splice(0, 2).map((r) => Math.min(1 + r * scale, side / center.w));
    center = { ...center, w: center.w * x, h: center.h * y };
  }
  const { x1, y1, x2, y2 } = centerToCorner(center);
  const [dx, dy] = [[x1, x2], [y1, y2]].map(([low, high], i) =>
    shift ? Math.max(-low, Math.min(side - 1 - high, draws[i] * shift)) : 0
  );
  return { x1: x1 + dx, y1: y1 + dy, x2: x2 + dx, y2: y2 + dy };
}

Deno.test("warpCrop() far outside gives the border colour, rounded half to even", () => {
  const crop = warpCrop(createImage(4, 4), { x1: 1e4, y1: -1e5, x2: 2e4, y2: -5e4 }, {
    size: 3,
    border: [0.5, 1.5, 254.6],
  });
  assertEquals([...crop.data], Array(9).fill([0, 2, 255]).flat());
});

Deno.test("warpCrop() of the whole picture is the picture", () => {
  const data = Uint8Array.from({ length: 75 }, (_, i) => i * 3);
  const image = { width: 5, height: 5, data };
  assertEquals(warpCrop(image, { x1: 0, y1: 0, x2: 4, y2: 4 }, { size: 5 }), image);
});

Deno.test("warpCrop() refuses a box without area", () => {
  const image = createImage(4, 4);
  for (const x2 of [0, -1, NaN, Infinity]) {
    assertThrows(() => warpCrop(image, { x1: 0, y1: 0, x2, y2: 2 }, { size: 3 }), RangeError);
  }
});
