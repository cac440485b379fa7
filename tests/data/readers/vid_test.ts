import { assertEquals, assertRejects } from "@std/assert";
import { readVid } from "../../../src/data/readers/vid.ts";
import { allTracks, sortedItems } from "../demo.ts";
import { annotation, makeTree, object } from "./tree.ts";

const id = (n: number | string) => `<trackid>${n}</trackid>`;
const BOX = [5, 6, 35, 40];

/** Frames of a video, by their numbers. */
function video(folder: string, frames: Record<string, string[]>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(frames).map((
      [n, objects],
    ) => [`${folder}/00000${n}.xml`, annotation(...objects).replace("000000", `00000${n}`)]),
  );
}

Deno.test("readVid() keeps all runs of a target, but not a frame that stands alone", async () => {
  const there = [object(BOX, id(7))];
  await using tree = await makeTree(video("ILSVRC2015/Annotations/VID/train/a/v_train", {
    0: there,
    1: there,
    2: [],
    3: there,
    4: [],
    5: there,
    6: there,
  }));
  const [track, ...others] = await allTracks(readVid(tree));
  assertEquals([others.length, track.video, track.id, track.split], [
    0,
    "a/v_train",
    "07",
    "train",
  ]);
  const used = track.frames.filter(({ refused }) => !refused).map(({ number }) => number);
  assertEquals(used, [0, 1, 5, 6]);
  assertEquals(track.frames[0].image, {
    kind: "file",
    path: `${tree.root}/ILSVRC2015/Data/VID/train/a/v_train/000000.JPEG`,
  });
  const [published] = await allTracks(readVid({ ...tree, asPublished: true }));
  const entered = published.frames.filter(({ entry }) => entry).map(({ number }) => number);
  assertEquals(entered, [5, 6]);
  // Its cropper ends at frame 2, whose picture is not there.
  assertEquals(published.frames.filter(({ box }) => box).map(({ number }) => number), [0, 1]);
});

Deno.test("readVid() finds the parts by their own names", async () => {
  const there = [object(BOX, id(0))];
  await using tree = await makeTree({
    ...video("Annotations/VID/train/ILSVRC2015_VID_train_0002/v_train", { 0: there, 1: there }),
    ...video("Annotations/VID/val/v_val", { 0: there, 1: there }),
  });
  const tracks = await allTracks(readVid(tree));
  assertEquals(tracks.map(({ video, split }) => [video, split]), [["c/v_train", "train"], [
    "e/v_val",
    "val",
  ]]);
});

Deno.test("readVid() leaves out what lies beyond the picture, and occluded boxes when told", async () => {
  const hidden = object(BOX, id(0)).replace("</object>", "<occluded>1</occluded></object>");
  await using tree = await makeTree(video("Annotations/VID/train/a/v", {
    0: [hidden],
    1: [object([5, 6, 97, 40], id(0))],
    2: [object([5, 6, 96, 72], id(0))],
    3: [object(BOX, id(0))],
  }));
  const reasons = async (skipFlagged: boolean) =>
    (await allTracks(readVid({ ...tree, skipFlagged })))[0].frames.map(({ refused }) => refused);
  const beyond = "the box reaches beyond the size in its annotation";
  const alone = "the target is in this frame alone";
  assertEquals(await reasons(false), [alone, beyond, undefined, undefined]);
  assertEquals((await reasons(true))[0], "the target is occluded");
});

Deno.test("readVid() reports annotations that it cannot read, and goes on", async () => {
  await using tree = await makeTree({
    ...video("Annotations/VID/train/b/v", { 0: [object(BOX, id(1))], 1: [object(BOX, id(1))] }),
    "Annotations/VID/train/b/v/000002.xml": "<annotation><object>",
    "Annotations/VID/train/b/v/000003.xml": annotation(object(BOX), object(BOX, id(1))),
    "Annotations/VID/train/b/v/000004.xml": "",
  });
  const { tracks: [track], faults } = await sortedItems(readVid(tree));
  assertEquals(faults.map(({ file }) => file.slice(-10)), [
    "000002.xml",
    "000003.xml",
    "000004.xml",
  ]);
  assertEquals(track.frames.map(({ number }) => number), [0, 1, 3]);
});

Deno.test("readVid() says what is missing", async () => {
  await using tree = await makeTree({ "a.txt": "" });
  await assertRejects(() => readVid(tree).next(), RangeError, "there is no Annotations/VID");
});
