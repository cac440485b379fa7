import { assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { TrackerResults } from "../../src/evaluation/results.ts";
import { parseVotBinary } from "../../src/evaluation/vot_binary.ts";
import { temporaryFolder } from "../data/demo.ts";

type Field = readonly [type: "u8" | "i16" | "u16" | "u32" | "f32", value: number];

/** Numbers one after the other, as `struct.pack("<…")` writes them. */
function pack(...fields: Field[]): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (const [type, value] of fields) {
    const view = new DataView(new ArrayBuffer(4));
    if (type === "f32") view.setFloat32(0, value, true);
    else view.setInt32(0, value, true);
    const length = { u8: 1, i16: 2, u16: 2, u32: 4, f32: 4 }[type];
    for (let i = 0; i < length; i++) bytes.push(view.getUint8(i));
  }
  return Uint8Array.from(bytes);
}

const head = (count: number): Field[] => [["i16", 1], ["u32", count]];
const mark = (code: number): Field[] => [["u8", 0], ["u32", code]];
const floats = (...values: number[]) => values.map((value): Field => ["f32", value]);
const rectangle: Field[] = [["u8", 1], ...floats(1, 2, 3.5, 4)];
const polygon: Field[] = [["u8", 2], ["u16", 3], ...floats(0, 0, 9, 0, 0, 9)];

Deno.test("parseVotBinary() reads marks, rectangles and polygons", () => {
  const bytes = pack(...head(4), ...mark(1), ...rectangle, ...polygon, ...mark(2));
  assertEquals([...parseVotBinary(bytes, "f")], [[1], [1, 2, 3.5, 4], [0, 0, 9, 0, 0, 9], [2]]);
});

Deno.test("parseVotBinary() refuses damage, masks and what follows", () => {
  const whole = pack(...head(2), ...mark(1), ...rectangle);
  const refused = (bytes: Uint8Array, reason: string) =>
    assertThrows(() => parseVotBinary(bytes, "f"), SyntaxError, reason);
  for (let length = 0; length < 6; length++) refused(whole.subarray(0, length), "no binary");
  for (let length = 6; length < whole.length; length++) {
    refused(whole.subarray(0, length), "it ends early");
  }
  refused(pack(...head(1), ...mark(1), ["u8", 0]), "1 bytes follow");
  refused(pack(["i16", 2], ["u32", 0]), "no binary trajectory");
  refused(pack(...head(4_000_000_000), ...mark(1)), "it ends early");
  refused(pack(...head(1), ...mark(7)), "frame 1 has the unknown mark 7");
  refused(pack(...head(1), ["u8", 3], ["u32", 0]), "frame 1 is a mask");
  refused(pack(...head(1), ["u8", 9], ["u32", 0]), "unknown kind 9");
  const line: Field[] = [["u8", 2], ["u16", 2], ...floats(0, 0, 9, 9)];
  refused(pack(...head(1), ...line), "frame 1 is a polygon of 2 corners, expected 3 or more");
});

Deno.test("TrackerResults.read() takes the VOT toolkit's binary files, text where both are there", async () => {
  await using folder = await temporaryFolder();
  const sequence = {
    name: "bag",
    frames: [],
    truth: [{ x: 0, y: 0, w: 9, h: 9 }, null],
    attributes: [],
  };
  const path = join(folder.path, "T/baseline/bag");
  await Deno.mkdir(path, { recursive: true });
  await Deno.writeFile(`${path}/bag_001.bin`, pack(...head(2), ...mark(1), ...rectangle));
  await Deno.writeFile(`${path}/bag_002.bin`, pack(...head(2), ...mark(1), ...rectangle));
  await Deno.writeTextFile(`${path}/bag_002.txt`, "1\n5,6,7,8\n");
  const { runs } = new TrackerResults(join(folder.path, "T")).read(sequence, "restart");
  assertEquals(runs.map((run) => [...run]), [[1, { x: 1, y: 2, w: 3.5, h: 4 }], [1, {
    x: 5,
    y: 6,
    w: 7,
    h: 8,
  }]]);
});
