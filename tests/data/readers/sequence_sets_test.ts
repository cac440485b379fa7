import { assertEquals } from "@std/assert";
import { gzipSync } from "fflate";
import { detectFormats } from "../../../src/data/readers/detect.ts";
import { readGot10k } from "../../../src/data/readers/got10k.ts";
import { readLasot } from "../../../src/data/readers/lasot.ts";
import { isLasotTest } from "../../../src/data/readers/lasot_testing_set.ts";
import { readYoutubeBb } from "../../../src/data/readers/youtubebb.ts";
import { allTracks, sortedItems } from "../demo.ts";
import { jpegDecoderName } from "../../../src/image/decode.ts";
import { fixturePath } from "../golden.ts";
import { annotation, makeTree, object, pictures } from "./tree.ts";

const BOXES = "1,2,30,40\n2,3,30,40\n";

Deno.test("readGot10k() passes over the test part, and absent targets when told", async () => {
  const video = (folder: string) => ({
    [`${folder}/groundtruth.txt`]: BOXES,
    [`${folder}/absence.label`]: "0\n1\n",
    ...pictures(folder, 2),
  });
  await using tree = await makeTree({
    ...video("GOT_10k/train/GOT-10k_Train_000001"),
    ...video("GOT_10k/val/GOT-10k_Val_000001"),
    ...video("GOT_10k/test/GOT-10k_Test_000001"),
  });
  const tracks = await allTracks(readGot10k(tree));
  assertEquals(tracks.map(({ video, split }) => [video, split]), [
    ["train/GOT-10k_Train_000001", "train"],
    ["val/GOT-10k_Val_000001", "val"],
  ]);
  const refused = async (skipFlagged: boolean) =>
    (await allTracks(readGot10k({ ...tree, skipFlagged })))[0].frames.map((frame) => frame.refused);
  assertEquals(await refused(false), [undefined, undefined]);
  assertEquals(await refused(true), [undefined, "the target is absent"]);
});

Deno.test("readGot10k() reports lines and pictures that do not fit, and goes on", async () => {
  await using tree = await makeTree({
    "a/groundtruth.txt": "1,2,three,4\n1,2,3,4\n5,6,7,8",
    ...pictures("a", 2),
    "b/groundtruth.txt": BOXES,
    ...pictures("b", 3),
  });
  const { tracks: [a, b], faults } = await sortedItems(readGot10k(tree));
  assertEquals(a.frames.map(({ fault }) => fault?.replace(tree.root, "")), [
    'Cannot read "/a/groundtruth.txt", line 1: "three" is not a number',
    undefined,
    "there are 3 boxes and 2 pictures",
  ]);
  assertEquals(b.frames.map(({ fault }) => fault), [undefined, undefined]);
  assertEquals(faults, [{
    file: `${tree.root}/b/groundtruth.txt`,
    reason: "there are 2 boxes and 3 pictures",
  }]);
});

Deno.test("readLasot() splits by testing_set.txt, or by the published list without it", async () => {
  const video = (name: string) => ({
    [`bear/${name}/groundtruth.txt`]: BOXES,
    [`bear/${name}/full_occlusion.txt`]: "1,0",
    [`bear/${name}/out_of_view.txt`]: "0,1",
    ...pictures(`bear/${name}/img`, 2),
  });
  await using tree = await makeTree({ ...video("bear-1"), ...video("bear-2") });
  const splits = async () => (await allTracks(readLasot(tree))).map(({ split }) => split);
  assertEquals(await splits(), ["train", "val"]); // bear-2 is a test video
  await Deno.writeTextFile(`${tree.root}/testing_set.txt`, "bear-1\r\n");
  assertEquals(await splits(), ["val", "train"]);
  const [{ frames }] = await allTracks(readLasot({ ...tree, skipFlagged: true }));
  assertEquals(frames.map((frame) => frame.refused), [
    "the target is occluded",
    "the target is out of view",
  ]);
});

Deno.test("isLasotTest() knows the ends of the published list", () => {
  assertEquals(["airplane-1", "volleyball-19", "airplane-2", "thing-1"].map(isLasotTest), [
    ...[true, true, false, false],
  ]);
});

Deno.test("readYoutubeBb() joins rows of a track, and reports rows that make no sense", async () => {
  const rows = [
    "id-1,1000,5,boat,0,present,0.1,0.5,0.2,0.6",
    "id-1,2000,5,boat,0,absent,-1.0,-1.0,-1.0,-1.0",
    "id-1,3000,5,boat,0,present,0.5,0.1,0.2,0.6",
    "id-1,4500,5,boat,1,present,0.1,0.5,0.2,0.6",
    "id-1,four,5,boat,1,present,0.1,0.5,0.2,0.6",
    "id-1,5000",
    '"id-2,1000,5,boat,0,present,0.1,0.5,0.2,0.6', // its quote does not end
    '"id-1",6000,5,"boat, large",1,present,0.1,0.5,0.2,0.6',
    ...Array(20).fill("id-2,7000,5,boat,0,absent,-1.0,-1.0,-1.0,-1.0"),
  ];
  const csv = rows.join("\n");
  await using tree = await makeTree({
    "yt_bb_detection_train.csv": csv,
    "yt_bb_detection_validation.csv.gz": gzipSync(new TextEncoder().encode(rows[0])),
  });
  const { tracks, faults } = await sortedItems(readYoutubeBb(tree));
  assertEquals(faults.map(({ reason }) => reason), [
    'line 5: "four" is no whole number',
    "line 6: found 2 columns, expected 10",
    "line 7: Quote Not Closed",
  ]);
  assertEquals(tracks.map(({ video, id, split, frames }) => [video, id, split, frames.length]), [
    ["./yt_bb_detection_validation/5/id-1", "00", "val", 1],
    ["./yt_bb_detection_train/5/id-1", "00", "train", 2],
    ["./yt_bb_detection_train/5/id-1", "01", "train", 1],
    ["./yt_bb_detection_train/5/id-1", "01", "train", 1],
  ]);
  const [, { frames: [first, inverted] }, { frames: [other] }] = tracks;
  assertEquals([first.number, first.box?.x2, other.number], [1, 0.5, 4]);
  assertEquals(inverted.refused, "the box is inverted or begins outside the picture");
});

Deno.test("readYoutubeBb() as published ends a video at its first bad picture", async () => {
  const row = (id: string, second: number) => `${id},${second}000,5,boat,0,present,0.1,0.5,0.2,0.6`;
  const rows = [row("a", 1), row("b", 1), row("a", 2), row("a", 3), row("b", 2)];
  const good = await Deno.readFile(fixturePath("../images/jpeg.q95.jpg"));
  const frame = (id: string, second: number) =>
    `yt_bb_detection_train/5/${id}_${second}000_5_0.jpg`;
  await using tree = await makeTree({
    "yt_bb_detection_train.csv": rows.join("\n"),
    [frame("a", 1)]: good,
    [frame("a", 2)]: "",
    [frame("a", 3)]: good,
    [frame("b", 1)]: good,
    [frame("b", 2)]: good.subarray(0, 2000), // ends early, but libjpeg-turbo can read it
  });
  const tracks = await allTracks(readYoutubeBb({ ...tree, asPublished: true }));
  const cut = tracks.flatMap(({ video, frames }) =>
    frames.filter(({ box }) => box).map(({ number }) => `${video.at(-1)}${number}`)
  );
  assertEquals(cut, jpegDecoderName() === "libjpeg-turbo" ? ["a1", "b1", "b2"] : ["a1", "b1"]);
});

const FORMS: [string, Record<string, string>, string[]][] = [
  ["ILSVRC VID", { "ILSVRC2015/Annotations/VID/train/a/v/0.xml": "" }, ["vid"]],
  ["both ILSVRC sets", { "Annotations/VID/a": "", "Annotations/DET/a": "" }, ["vid", "det"]],
  ["YouTube-BB", { "yt_bb_detection_train.csv": "" }, ["youtubebb"]],
  ["COCO", { "coco/annotations/instances_val2017.json": "" }, ["coco"]],
  ["GOT-10k", { "train/v/groundtruth.txt": "", "train/v/1.jpg": "" }, ["got10k"]],
  ["LaSOT", { "bear/bear-1/groundtruth.txt": "", "bear/bear-1/img/1.jpg": "" }, ["lasot"]],
  ["OTB", { "Jogging/groundtruth_rect.1.txt": "" }, ["otb"]],
  ["VOT", { "bag/groundtruth.txt": "", "bag/color/1.jpg": "" }, ["vot"]],
  ["boxes beside pictures", { "v/groundtruth.txt": "", "v/1.jpg": "" }, ["got10k", "vot"]],
  ["VOC", { "Annotations/a.xml": annotation(object([1, 2, 3, 4])) }, ["voc"]],
  ["CSV", { "a/boxes.csv": "" }, ["csv"]],
  ["videos", { "a/cat.mp4": "", "a/cat.csv": "" }, ["video"]],
  ["nothing", { "a/notes.txt": "" }, []],
];
for (const [name, files, formats] of FORMS) {
  Deno.test(`detectFormats() recognises ${name}`, async () => {
    await using tree = await makeTree(files);
    assertEquals<string[]>(await detectFormats(tree.root), formats);
  });
}
