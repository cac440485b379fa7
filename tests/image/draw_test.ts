import { assert, assertEquals, assertThrows } from "@std/assert";
import { contactSheet, drawBoxes, drawText } from "../../src/image/draw.ts";
import { createImage, type Image } from "../../src/image/image.ts";

/** One character a pixel: `.` black, `#` any other colour. */
function sketch({ width, height, data }: Image): string {
  const lines = Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => {
      const at = 3 * (y * width + x);
      return data[at] + data[at + 1] + data[at + 2] ? "#" : ".";
    }).join(""));
  return lines.join("\n");
}

Deno.test("drawBoxes() outlines a box on a copy, and leaves out what is outside", () => {
  const image = createImage(7, 5);
  const drawn = drawBoxes(image, [{ box: { x1: 1, y1: 1, x2: 9, y2: 3 }, lineWidth: 1 }]);
  assertEquals(sketch(drawn), ".......\n.######\n.#.....\n.######\n.......");
  assertEquals([...drawn.data.subarray(3 * 8, 3 * 9)], [0, 255, 0]);
  assert(image.data.every((value) => value === 0));
});

Deno.test("drawBoxes() centres wide lines on the box", () => {
  const drawn = drawBoxes(createImage(7, 7), [{
    box: { x1: 2, y1: 2, x2: 4, y2: 4 },
    lineWidth: 3,
    color: [0, 0, 255],
  }]);
  assertEquals(sketch(drawn), ".......\n" + ".#####.\n".repeat(5) + ".......");
});

Deno.test("drawBoxes() labels a box", () => {
  const box = { x1: 4, y1: 20, x2: 40, y2: 30 };
  const plain = drawBoxes(createImage(50, 40), [{ box }]);
  const labelled = drawBoxes(createImage(50, 40), [{ box, label: "AO" }]);
  assert(labelled.data.some((value, i) => value !== plain.data[i]));
});

Deno.test("drawText() draws letters of 5 x 7 dots, and scales them", () => {
  const text = drawText(createImage(8, 9), "T", { x: 0, y: 0 });
  assertEquals(
    sketch(text).split("\n").slice(1, 8).map((line) => line.slice(1, 6)),
    ["#####", "..#..", "..#..", "..#..", "..#..", "..#..", "..#.."],
  );
  const large = drawText(createImage(16, 18), "T", { x: 0, y: 0, scale: 2 });
  assertEquals(sketch(large).split("\n")[2], "..##########....");
});

Deno.test("contactSheet() lays pictures out in rows and in a strip", () => {
  const one = createImage(2, 1), background = [255, 255, 255] as const;
  assertEquals(sketch(contactSheet([one, one], { gap: 1, background })), "..#..");
  const sheet = contactSheet([one, createImage(1, 2), one], { columns: 2, gap: 1 });
  assertEquals(sketch(sheet), "..#.#\n###.#\n#####\n..###\n#####");
  assertThrows(() => contactSheet([]), RangeError, "no pictures");
});
