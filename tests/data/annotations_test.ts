import { assertEquals, assertThrows } from "@std/assert";
import { AnnotationTableBuilder } from "../../src/data/annotation_table.ts";
import {
  annotationText,
  parseAnnotations,
  readAnnotations,
  writeAnnotations,
} from "../../src/data/annotations.ts";
import { fixtureJson, fixturePath, sharedGolden } from "./golden.ts";

type Content = Record<string, Record<string, Record<string, number[]>>>;

function tableOf(content: Content) {
  const builder = new AnnotationTableBuilder();
  for (const [video, tracks] of Object.entries(content)) {
    builder.startVideo(video);
    for (const [track, frames] of Object.entries(tracks)) {
      builder.startTrack(track);
      for (const [frame, [x1, y1, x2, y2]] of Object.entries(frames)) {
        builder.add(Number(frame), { x1, y1, x2, y2 });
      }
    }
  }
  return builder.build();
}

/** Gives so many bytes at a time. */
function bytesOf(text: string, chunk = 7) {
  let rest = new TextEncoder().encode(text);
  return {
    readSync(into: Uint8Array): number | null {
      if (rest.length === 0) return null;
      const part = rest.subarray(0, Math.min(chunk, into.length));
      into.set(part);
      rest = rest.subarray(part.length);
      return part.length;
    },
  };
}

function parse(text: string) {
  return parseAnnotations(bytesOf(text), "train.json");
}

Deno.test("annotationText() writes the bytes of the reference's train.json", () => {
  const path = fixturePath("got_10k/expected/train.json");
  const text = [...annotationText(tableOf(fixtureJson("got_10k/expected/train.json")))].join("");
  assertEquals(text, Deno.readTextFileSync(path));
});

Deno.test({
  name: "annotationText() writes every annotation file of the reference",
  ignore: !sharedGolden("gen_json"),
  fn() {
    let files = 0;
    for (const set of Deno.readDirSync(sharedGolden("gen_json")!)) {
      const folder = `${sharedGolden("gen_json")}/${set.name}/expected`;
      for (const { name } of Deno.readDirSync(folder)) {
        if (!/^(train|val)/.test(name)) continue;
        // 1.0 and 1 are one number here, two in Python.
        const text = Deno.readTextFileSync(`${folder}/${name}`).replaceAll(/\.0(?=,?\n)/g, "");
        assertEquals(
          [...annotationText(tableOf(JSON.parse(text)))].join(""),
          text,
          `${folder}/${name}`,
        );
        files++;
      }
    }
    assertEquals(files >= 12, true);
  },
});

Deno.test("annotationText() sorts and escapes as Python's json module", () => {
  const box = { "000000": [0.5, 1, 2, 3e-7] };
  const text = [
    ...annotationText(tableOf({ "\u{1f600}": { b: box, a: {} }, "\uffee": { "00": box } })),
  ];
  // U+FFEE comes before U+1F600, which JavaScript orders the other way round.
  assertEquals(JSON.parse(text.join("")), {
    "\uffee": { "00": box },
    "\u{1f600}": { a: {}, b: box },
  });
  const all = text.join("");
  assertEquals(
    all.startsWith('{\n    "\\uffee": {\n        "00": {\n            "000000": ['),
    true,
  );
  assertEquals(all.includes('    "\\ud83d\\ude00": {\n        "a": {},\n        "b": {'), true);
});

Deno.test("readAnnotations() gives back what writeAnnotations() wrote", async () => {
  const path = await Deno.makeTempFile();
  const table = tableOf({
    "a/ü": { "00": { "000003": [1, 2, 3.25, 4] }, "01": { "1000000": [0, 0, 9, 9] } },
  });
  await writeAnnotations(path, table);
  assertEquals(readAnnotations(path).table.columns, table.columns);
  await Deno.remove(path);
});

Deno.test("parseAnnotations() leaves out what the reference leaves out", () => {
  const golden = fixtureJson("sub_dataset.json");
  const { table, droppedBoxes } = parse(JSON.stringify(golden.input));
  const found: Record<string, Record<string, number[]>> = {};
  for (let video = 0; video < table.videoCount; video++) {
    const tracks = table.tracksOf(video);
    for (let track = tracks.start; track < tracks.end; track++) {
      const { start, end } = table.boxesOf(track);
      const frames = Array.from({ length: end - start }, (_, i) => table.frame(start + i));
      (found[table.videoName(video)] ??= {})[table.trackName(track)] = frames;
    }
  }
  assertEquals(found, golden.frames_after_load);
  assertEquals(droppedBoxes, 5);
});

Deno.test("parseAnnotations() passes over keys that are no frames, entries that are objects, NaN", () => {
  const { table, droppedBoxes } = parse(
    '{"v": {"00": {"frames": [1, 2, 3, 4], "000001": {"a": [1, {"b": "]}"}, true]},' +
      ' "000002": [0, NaN, 1, 1], "000003": [0, 0, Infinity, 1], "000004": [-1.5e1, 0, 1, 1]}}}',
  );
  assertEquals([table.boxCount, table.frame(0), table.box(0).x1, droppedBoxes], [1, 4, -15, 2]);
});

Deno.test("parseAnnotations() names file, line and place of what it cannot read", () => {
  const cases: [string, string][] = [
    [
      '{"v": {"00": {\n"000001": [1, 2, 3]}}}',
      'line 2: video "v" track "00" frame "000001" has 3 numbers',
    ],
    ['{"v": {"00": {"000001": null}}}', 'frame "000001" is no box'],
    ['{"v": {"00": {"000001": [1, "2", 3, 4]}}}', "expected a number"],
    ['{"v": {"00": {}}, "v": {}}', 'video "v" stands there twice'],
    ['{"v": {"00": {}, "00": {}}}', 'has track "00" twice'],
    ['{"v": {"00": {"000001": [1, 2, 3, 4]', 'expected "}"'],
    ['{"v": {"00', "does not end"],
    ['{"v": {}} x', "text follows"],
    ['{"v": {"00": {"99999999999": [0, 0, 1, 1]}}}', "beyond 2147483647"],
    ["[]", 'expected "{"'],
    ["", 'expected "{"'],
  ];
  for (const [text, message] of cases) {
    assertThrows(() => parse(text), SyntaxError, message);
    assertThrows(() => parse(text), SyntaxError, 'Cannot read "train.json", line');
  }
  const twice = '{"v": {"00": {"1": [0, 0, 1, 1], "000001": [0, 0, 1, 1]}}}';
  assertThrows(() => parse(twice), SyntaxError, "holds frame 1 twice");
});

Deno.test("AnnotationTableBuilder.build() sorts the frames of a track with their boxes", () => {
  const table = tableOf({ v: { "00": { "000009": [9, 0, 10, 1], a: [] } } });
  assertEquals(table.boxCount, 2);
  const { columns } = tableOf({
    v: {
      "00": { "30": [3, 0, 4, 1], "20": [2, 0, 4, 1], "10": [1, 0, 4, 1] },
      "01": { "5": [5, 0, 6, 1] },
    },
  });
  assertEquals([...columns.frames], [10, 20, 30, 5]);
  assertEquals([0, 4, 8, 12].map((i) => columns.boxes[i]), [1, 2, 3, 5]);
});
