import { assertEquals, assertThrows } from "@std/assert";
import { createImage } from "../../src/image/image.ts";
import { resizeBilinear } from "../../src/image/resize.ts";
import { getSubwindow } from "../../src/image/subwindow.ts";
import { assertSamePixels, casesWith, golden, goldenImage } from "./golden.ts";

Deno.test("getSubwindow() equals the reference's get_subwindow, bit for bit", async () => {
  for (const one of casesWith(golden.get_subwindow, ({ image, output }) => [image, output])) {
    const [blue, green, red] = one.avg_bgr;
    const window = getSubwindow(await goldenImage(one.image), {
      cx: one.pos[0],
      cy: one.pos[1],
      side: one.original_size,
      size: one.model_size,
      border: [blue, green, red],
    });
    assertSamePixels(window, await goldenImage(one.output), one.tag);
  }
});

Deno.test("getSubwindow() beside the frame is all border, truncated", () => {
  const window = getSubwindow(createImage(4, 4), {
    cx: -20,
    cy: 2,
    side: 5,
    size: 5,
    border: [9.9, 8.5, 7],
  });
  assertEquals([...window.data], Array(25).fill([9, 8, 7]).flat());
});

Deno.test("getSubwindow() refuses a side that is no positive integer", () => {
  const border = [0, 0, 0] as const;
  for (const side of [0, -3, 2.5, NaN]) {
    const options = { cx: 0, cy: 0, side, size: 3, border };
    assertThrows(() => getSubwindow(createImage(4, 4), options), RangeError, `${side}`);
  }
});

Deno.test("resizeBilinear() keeps a flat picture flat and follows a ramp, up and down", () => {
  const ramp = createImage(8, 3);
  for (let i = 0; i < ramp.data.length; i++) ramp.data[i] = 16 * (Math.floor(i / 3) % 8);
  const doubled = resizeBilinear(ramp, 16, 6);
  assertEquals([0, 1, 2, 3, 15].map((x) => doubled.data[3 * x]), [0, 4, 12, 20, 112]);
  const halved = resizeBilinear(ramp, 4, 1);
  assertEquals([0, 1, 2, 3].map((x) => halved.data[3 * x]), [8, 40, 72, 104]);
  assertSamePixels(resizeBilinear(ramp, 8, 3), ramp);
});
