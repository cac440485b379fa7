import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseAnnotations } from "../../src/data/annotations.ts";
import { cropPath, searchWindow, SubDataset } from "../../src/data/sub_dataset.ts";
import { Rng } from "../../src/random.ts";
import { fixtureJson } from "./golden.ts";

const golden = fixtureJson("sub_dataset.json");

function subDataset(content: unknown, options: { frameRange?: number; numUse?: number } = {}) {
  let bytes: Uint8Array | null = new TextEncoder().encode(JSON.stringify(content));
  const source = {
    readSync(into: Uint8Array) {
      if (bytes === null) return null;
      into.set(bytes);
      const { length } = bytes;
      bytes = null;
      return length;
    },
  };
  const { columns } = parseAnnotations(source, "train.json").table;
  const given = { name: "SET", root: "crop511", anno: "train.json", frameRange: 100, numUse: -1 };
  return new SubDataset({ options: { ...given, ...options }, columns });
}

Deno.test("SubDataset has the videos of the reference", () => {
  const set = subDataset(golden.input);
  const names = Array.from({ length: set.videoCount }, (_, i) => set.table.videoName(i));
  assertEquals(names, golden.videos);
  assertEquals([set.videoCount, set.useCount], [golden.num_videos, golden.num_videos]);
});

Deno.test("SubDataset.pickAt() is a row of shuffles, cut to numUse", () => {
  const set = subDataset(golden.input, { numUse: golden.num_use });
  const rng = new Rng(5);
  const picks = Array.from({ length: set.useCount }, (_, i) => set.pickAt(i, rng));
  assertEquals(picks.length, golden.pick_length);
  assertEquals([picks.slice(0, 3).toSorted(), picks.slice(3, 6).toSorted()], [[0, 1, 2], [
    0,
    1,
    2,
  ]]);
  assertEquals(picks, Array.from({ length: set.useCount }, (_, i) => set.pickAt(i, rng)));
});

Deno.test("searchWindow() is the reference's", () => {
  for (const row of golden.pair_windows) {
    const range = { start: 0, end: row.frames.length };
    const { start, end } = searchWindow(range, row.template_index, row.frame_range);
    assertEquals(row.frames.slice(start, end), row.search_candidates);
    const later = searchWindow(
      { start: 7, end: 7 + range.end },
      7 + row.template_index,
      row.frame_range,
    );
    assertEquals(later, { start: start + 7, end: end + 7 });
  }
});

Deno.test("SubDataset.crop() gives path and box of the reference", () => {
  const { path, box, video, track, frame } = subDataset(golden.input).crop(0, 0, 2);
  assertEquals(path, `crop511/${golden.image_path_example}`);
  assertEquals(Object.values(box), golden.anno_example);
  assertEquals([video, track, frame], ["vidA", "00", 10]);
  assertEquals(cropPath({ video: "v", track: "1", frame: 1234567 }, "z"), "v/1234567.1.z.jpg");
});

Deno.test("SubDataset.positivePair() takes two frames of one track, frameRange apart at most", () => {
  const box = [0, 0, 1, 1];
  const frames = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${3 * i}`, box]));
  const set = subDataset({ v: { a: frames, b: { "7": box } } }, { frameRange: 4 });
  const distances = new Set<number>(), tracks = new Set<string>();
  const rng = new Rng(1);
  for (let i = 0; i < 2000; i++) {
    const [template, search] = set.positivePair(0, rng);
    assertEquals(template.track, search.track);
    distances.add(Math.abs(template.frame - search.frame) / 3);
    tracks.add(template.track);
  }
  assertEquals([...distances].toSorted(), [0, 1, 2, 3, 4]);
  assertEquals(tracks.size, 2);
});

Deno.test("SubDataset.randomTarget() takes a frame of the video, or of any", () => {
  const set = subDataset(golden.input);
  const rng = new Rng(1);
  const draw = (video?: number) =>
    new Set(Array.from({ length: 300 }, () => set.randomTarget(rng, video).video));
  assertEquals([...draw(1)], ["vidB"]);
  assertEquals([...draw()].toSorted(), golden.videos);
  assert(Array.from({ length: 50 }, () => set.randomTarget(rng, 2).frame).includes(100));
});

Deno.test("SubDataset refuses annotations without boxes, and names the set", () => {
  assertThrows(() => subDataset({ v: {} }), RangeError, "Cannot use dataset SET");
  const options = { name: "VID", root: "", anno: "/nowhere.json", frameRange: 1, numUse: 1 };
  assertThrows(() => SubDataset.open(options), Error, "Cannot open dataset VID: No such file");
});
