import { assert, assertEquals } from "@std/assert";
import { inspectRaw } from "../../src/data/inspect.ts";
import { fixturePath } from "./golden.ts";
import { prepareAll, temporaryFolder } from "./demo.ts";
import { makeTree, pictures } from "./readers/tree.ts";
import { readVid } from "../../src/data/readers/vid.ts";

Deno.test("inspectRaw() counts a set, says what is missing and how large the crops will be", async () => {
  const root = fixturePath("vid/input");
  const found = await inspectRaw("vid", { root });
  assertEquals([found.videos, found.tracks, found.frames, found.missingFrames], [5, 9, 23, 0]);
  assertEquals([found.boxes, found.refused, found.isComplete], [34, 3, false]);
  assertEquals(found.missing, ["4412 of the set's 4417 videos"]);
  await using out = await temporaryFolder();
  const { counts, bytes } = await prepareAll({ tracks: () => readVid({ root }), out: out.path });
  assertEquals(counts.boxes - found.refused, counts.written);
  assert(Math.abs(found.diskBytes / bytes - 1) < 0.5, `${found.diskBytes} for ${bytes}`);
});

Deno.test("inspectRaw() names parts that are not there", async () => {
  const yt = await inspectRaw("youtubebb", { root: fixturePath("yt_bb/input") });
  assertEquals([yt.boxes, yt.missingFrames, yt.missing], [10, 1, ["1 of 10 pictures"]]);
  await using folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/Annotations/DET/val`, { recursive: true });
  const { missing, isComplete } = await inspectRaw("det", { root: folder.path });
  assertEquals([missing.length, isComplete], [8, false]);
  assertEquals(missing[0], "Annotations/DET/train/ILSVRC2013_train (part a)");
});

Deno.test("inspectRaw() counts empty pictures as missing", async () => {
  const boxes = { "v/groundtruth.txt": "1,1,9,9\n1,1,9,9\n" };
  await using tree = await makeTree({ ...boxes, ...pictures("v", 2) });
  const { frames, missingFrames, missing } = await inspectRaw("got10k", { root: tree.root });
  assertEquals([frames, missingFrames, missing], [2, 2, ["2 of 2 pictures"]]);
});
