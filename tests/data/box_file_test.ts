import { assertEquals, assertThrows } from "@std/assert";
import { parseBoxes } from "../../src/data/box_file.ts";

Deno.test("parseBoxes() reads every separator, line end and sign", () => {
  const boxes = parseBoxes("\ufeff1,2,3,4\r\n1\t2\t3\t4\n 1  2 3 4 \n1;2;3;4\n-1.5,+2,3e1,4\n\n");
  assertEquals(boxes.slice(0, 4), Array(4).fill({ x1: 1, y1: 2, x2: 4, y2: 6 }));
  assertEquals(boxes[4], { x1: -1.5, y1: 2, x2: 28.5, y2: 6 });
  assertEquals(boxes.length, 5);
  assertEquals(parseBoxes(" \n"), []);
});

Deno.test("parseBoxes() gives null where the target is not given", () => {
  const [a, b, c] = parseBoxes("NaN,NaN,NaN,NaN\n0\n1,1,1,1");
  assertEquals([a, b, c], [null, null, { x1: 1, y1: 1, x2: 2, y2: 2 }]);
});

Deno.test("parseBoxes() keeps the line of a blank one in the middle", () => {
  assertThrows(() => parseBoxes("1,1,1,1\n\n2,2,2,2"), SyntaxError, "line 2: found 0 numbers");
});

Deno.test("parseBoxes() counts pixels from 0, whatever the file does", () => {
  assertEquals(parseBoxes("1,2,3,4", { origin: 1 }), [{ x1: 0, y1: 1, x2: 3, y2: 5 }]);
});

Deno.test("parseBoxes() turns a polygon into the box that trackers start from", () => {
  // A square of side 10 that stands upright: VOT adds 1 to each side.
  assertEquals(parseBoxes("0,0,10,0,10,10,0,10"), [{ x1: -0.5, y1: -0.5, x2: 10.5, y2: 10.5 }]);
});

Deno.test("parseBoxes() names the line that it cannot read", () => {
  const options = { name: "groundtruth.txt" };
  assertThrows(
    () => parseBoxes("1,1,1,1\n1,b,1,1", options),
    SyntaxError,
    '"groundtruth.txt", line 2: "b"',
  );
  assertThrows(
    () => parseBoxes("1,1,1", options),
    SyntaxError,
    "line 1: found 3 numbers, expected 4",
  );
});
