import { assertAlmostEquals, assertEquals } from "@std/assert";
import { startBox } from "../../src/evaluation/start_box.ts";

const box = { x: 5, y: 6, w: 7, h: 8 };

Deno.test("startBox() takes a box as it is where trackers are restarted", () => {
  assertEquals(startBox(box, "restart"), box);
  // A rectangle given by its outermost pixels is that rectangle.
  const { x, y, w, h } = startBox({ points: [5, 6, 11, 6, 11, 13, 5, 13] }, "restart");
  [[x, 5], [y, 6], [w, 7], [h, 8]].forEach(([found, wanted]) => assertAlmostEquals(found, wanted));
  const triangle = { points: [0, 0, 10, 0, 5, 8] };
  assertEquals(startBox(triangle, "restart"), { x: 0, y: 0, w: 10, h: 8 });
});

Deno.test("startBox() starts half a pixel further in one pass, as published results do", () => {
  for (const protocol of ["ope", "longTerm"] as const) {
    assertEquals(startBox(box, protocol), { x: 5.5, y: 6.5, w: 7, h: 8 });
  }
});
