import { assertEquals } from "@std/assert";
import { pointGrid } from "../../src/geometry/points.ts";
import golden from "../fixtures/geometry/point_grid.json" with { type: "json" };

Deno.test("pointGrid() equals the reference's grids", () => {
  for (const { stride, size, image_center: center, first, last } of golden.cases) {
    const { x, y } = pointGrid({ stride, size, center });
    for (let row = 0, i = 0; row < size; row++) {
      for (let column = 0; column < size; column++, i++) {
        assertEquals([x[i], y[i]], [first + column * stride, first + row * stride]);
      }
    }
    assertEquals([x.at(-1), y.at(-1), x.length], [last, last, size * size]);
  }
});

Deno.test("pointGrid() without a centre lies around 0, as the tracker needs it", () => {
  const { x, y } = pointGrid({ stride: 8, size: 25 });
  assertEquals([x[0], x[12], y[12 * 25], y[24 * 25]], [-96, 0, 0, 96]);
});
