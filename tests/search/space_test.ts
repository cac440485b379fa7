import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { gridPoint, gridSize, parseDimension } from "../../src/search/space.ts";

const units = [0, 0.2499, 0.25, 0.5, 0.9999, 1];

Deno.test("parseDimension() takes ranges, steps, logarithms and lists", () => {
  const at = (text: string) => units.map((unit) => parseDimension(text).at(unit));
  assertEquals(at("a=0:10"), [0, 2.499, 2.5, 5, 9.999, 10]);
  assertEquals(at("a=0:0.3:0.1"), [0, 0, 0.1, 0.2, 0.3, 0.3]);
  assertEquals(at("a=log:0.01:100"), [0.01, 0.0999079, 0.1, 1, 99.9079, 100]);
  assertEquals(at("a=5,-1,7e2,5"), [5, 5, 5, -1, 700, 700]);
  assertEquals(at("a=3"), [3, 3, 3, 3, 3, 3]);
});

Deno.test("a dimension places each of its values where it came from", () => {
  for (const text of ["a=0.2:0.7", "a=log:1e-4:1", "a=0:1:0.05", "a=3,1,2"]) {
    const dimension = parseDimension(text);
    for (const unit of units) {
      const value = dimension.at(unit), place = dimension.place(value);
      assertEquals(dimension.at(place), value);
      if (!dimension.count) assertAlmostEquals(place, unit, 1e-5);
    }
  }
});

Deno.test("parseDimension() refuses what is no range", () => {
  for (
    const text of ["a", "a=", "=1:2", "a=2:1", "a=1:1", "a=0:1:0", "a=0:1:-1", "a=0:1e9:1", "a=x:y"]
      .concat(["a=log:0:1", "a=log:1:2:1", "a=1:2:3:4", "a=1:", "a=Infinity:2", "a b=1:2"])
  ) assertThrows(() => parseDimension(text), SyntaxError, "Cannot search", text);
});

Deno.test("gridPoint() visits every point once, the last parameter first", () => {
  const space = ["a=1,2", "b=0:1"].map(parseDimension);
  const points = Array.from({ length: 7 }, (_, n) => gridPoint(space, n, 3));
  assertEquals(gridSize(space, 3), 6);
  assertEquals(points.slice(0, 4), [
    { a: 1, b: 0 },
    { a: 1, b: 0.5 },
    { a: 1, b: 1 },
    { a: 2, b: 0 },
  ]);
  assertEquals(points[6], undefined);
  assertEquals(gridPoint([parseDimension("a=0:1")], 0, 1), { a: 0.5 });
});
