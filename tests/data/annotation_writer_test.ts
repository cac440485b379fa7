import { assertEquals } from "@std/assert";
import { annotationPieces } from "../../src/data/annotation_writer.ts";

Deno.test("annotationPieces() tells videos without tracks and tracks without boxes", () => {
  const boxes = [{ frame: "000001", numbers: [1, 2.5, 3, 4] }];
  const text = (tracks: Parameters<typeof annotationPieces>[0]) =>
    [...annotationPieces(tracks)].join("");
  const all = [{ video: "e" }, { video: "v", track: "a" }, { video: "v", track: "b", boxes }];
  assertEquals(JSON.parse(text([...all, { video: "z" }])), {
    e: {},
    v: { a: {}, b: { "000001": [1, 2.5, 3, 4] } },
    z: {},
  });
  const lines = text(all).split("\n");
  assertEquals(lines.slice(0, 5), [
    "{",
    '    "e": {},',
    '    "v": {',
    '        "a": {},',
    '        "b": {',
  ]);
  assertEquals([text([]), lines.at(-1)], ["{}", "}"]);
});
