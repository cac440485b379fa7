import { assertEquals, assertThrows } from "@std/assert";
import { formatRegion, parseRegion } from "../../src/trax/region.ts";
import { TraxError } from "../../src/trax/trax_error.ts";

Deno.test("parseRegion() takes rectangles, polygons and masks", () => {
  assertEquals(parseRegion("1.5,2,30,40"), { x: 1.5, y: 2, w: 30, h: 40 });
  assertEquals(parseRegion("0,0,10,0,5,8"), { points: [0, 0, 10, 0, 5, 8] });
  // Rows of 4: 0110, 0100 from (10, 20) on.
  assertEquals(parseRegion("mask:10,20,4,2,1,2,2,1,2"), { x: 11, y: 20, w: 2, h: 2 });
  assertEquals(parseRegion("mask:0,0,4,3,3,2,7"), { x: 0, y: 0, w: 4, h: 2 });
});

Deno.test("parseRegion() refuses what is no region with an area", () => {
  for (
    const text of [
      "",
      "1",
      "1,2,3",
      "1,2,3,4,5",
      "a,b,c,d",
      "1,,3,4",
      "NaN,NaN,NaN,NaN",
      "1,2,0,5",
      "1,2,-3,4",
      "0,0,1e30,4",
      "1,1,1,1,1,1",
      "mask:0,0,4,4,16",
      "mask:1",
      "1,2,".repeat(10_000) + "3,4",
    ]
  ) assertThrows(() => parseRegion(text), TraxError, "Cannot use region", text);
});

Deno.test("parseRegion() finds a mask's box without making the mask", () => {
  const start = performance.now();
  assertEquals(parseRegion("mask:0,0,1000000,1000000,5,3"), { x: 5, y: 0, w: 3, h: 1 });
  assertEquals(performance.now() - start < 100, true);
});

Deno.test("formatRegion() writes four digits", () => {
  assertEquals(formatRegion({ x: 1 / 3, y: -2, w: 10, h: 1e-9 }), "0.3333,-2.0000,10.0000,0.0000");
  assertEquals(
    formatRegion({ points: [0, 1, 2, 3, 4, 5.5] }),
    "0.0000,1.0000,2.0000,3.0000,4.0000,5.5000",
  );
});
