import { assertEquals } from "@std/assert";
import { roundHalfEven } from "../../src/geometry/rounding.ts";

Deno.test("roundHalfEven() sends halves to the even neighbour and the rest to the nearest", () => {
  const cases = [[0.5, 0], [1.5, 2], [2.5, 2], [-0.5, 0], [-1.5, -2], [-2.5, -2], [2.4, 2]];
  for (const [value, rounded] of [...cases, [2.6, 3], [-2.6, -3], [0.49999999999999994, 0]]) {
    assertEquals(roundHalfEven(value) + 0, rounded, `${value}`);
  }
});
