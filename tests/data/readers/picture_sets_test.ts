import { assertEquals, assertRejects } from "@std/assert";
import { readCoco } from "../../../src/data/readers/coco.ts";
import { readCsv } from "../../../src/data/readers/csv.ts";
import { readDet } from "../../../src/data/readers/det.ts";
import { readVoc } from "../../../src/data/readers/voc.ts";
import { isFault } from "../../../src/data/track.ts";
import { allTracks, sortedItems } from "../demo.ts";
import { annotation, makeTree, object } from "./tree.ts";

Deno.test("readDet() numbers objects through, whatever is left out, in parts of any name", async () => {
  const picture = annotation(object([-1, 0, 9, 9]), object([1, 2, 3, 4]));
  await using tree = await makeTree({
    "Annotations/DET/train/ILSVRC2013_train/n1/p.xml": picture,
    "Annotations/DET/train/ILSVRC2014_train_0001/q.xml": picture,
    "Annotations/DET/val/r.xml": picture,
    "Annotations/DET/train/d/bad.xml": "<annotation",
  });
  const { tracks, faults } = await sortedItems(readDet(tree));
  assertEquals(faults.map(({ file }) => file.slice(-7)), ["bad.xml"]);
  assertEquals(tracks.map(({ video, id, split }) => `${video} ${id} ${split}`), [
    ...["a/p 00 train", "a/p 01 train", "c/q 00 train", "c/q 01 train", "i/r 00 val", "i/r 01 val"],
  ]);
  const [{ frames: [first] }, { frames: [second] }] = tracks;
  assertEquals([first.refused, second.refused], ["the box begins outside the picture", undefined]);
  const path = `${tree.root}/Data/DET/train/ILSVRC2013_train/n1/p.JPEG`;
  assertEquals(first.image, { kind: "file", path });
});

Deno.test("readCoco() reads pictures and annotations in any order, and numbers by picture", async () => {
  const annotations = [
    { id: 9, image_id: 2, bbox: [1, 2, 3, 4], iscrowd: 1, segmentation: { counts: [1, "]}"] } },
    { id: 3, image_id: 1, bbox: [0.5, 0, 10, 10.25], iscrowd: 0 },
    { id: 8, image_id: 2, bbox: [5, 6, 0, 8] },
    { id: 7, image_id: 99, bbox: [5, 6, 7, 8] },
    { id: 6, image_id: 1 },
  ];
  const images = [{ id: 2, file_name: "x/b.c.jpg", w: 1 }, { file_name: "../a.jpg", id: 1 }];
  await using tree = await makeTree({
    "annotations/instances_val2017.json": JSON.stringify({ annotations, info: {}, images }),
    "annotations/captions_val2017.json": "{}",
  });
  const { tracks, faults } = await sortedItems(readCoco(tree));
  assertEquals(faults.map(({ reason }) => reason), [
    "annotation 7: no such picture",
    "annotation 6: no box",
  ]);
  assertEquals(tracks.map(({ video, id, split }) => `${video} ${id} ${split}`), [
    ...["val2017/b 00 val", "val2017/a 00 val", "val2017/b 01 val"],
  ]);
  assertEquals(tracks[1].frames[0], {
    number: 0,
    image: { kind: "file", path: `${tree.root}/val2017/a.jpg` }, // not beside the set
    box: { x1: 0.5, y1: 0, x2: 10.5, y2: 10.25 },
  });
  const { tracks: [crowd] } = await sortedItems(readCoco({ ...tree, skipFlagged: true }));
  assertEquals(crowd.frames[0].refused, "the box is a crowd's");
});

Deno.test("readCoco() reports a file that breaks off, and keeps what it had", async () => {
  const text = '{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [' +
    '{"image_id": 1, "bbox": [1, 2, 3, 4]}, {"image_id": 1, "bb';
  await using tree = await makeTree({ "boxes.json": text });
  const items = await Array.fromAsync(readCoco({ root: `${tree.root}/boxes.json` }));
  assertEquals(items.map(isFault), [false, true]);
  await using empty = await makeTree({ "a.txt": "" });
  await assertRejects(() => readCoco(empty).next(), RangeError, "pass --boxes FILE");
});

Deno.test("readVoc() finds pictures beside annotations, and in the folders that sets use", async () => {
  const text = annotation(object([1, 2, 3, 4]));
  await using tree = await makeTree({
    ...{ "VOC/Annotations/a.xml": text, "VOC/JPEGImages/a.jpg": "" },
    ...{ "mine/b.xml": text, "mine/b.png": "" },
    "val/c.xml": text,
    "film/0.xml": annotation(object([1, 2, 3, 4], "<trackid>5</trackid>")),
    "film/1.xml": annotation(object([1, 2, 3, 4], "<trackid>5</trackid>")),
  });
  const tracks = await allTracks(readVoc(tree));
  const found = tracks.map(({ video, id, split, frames: [{ number, image }] }) => [
    ...[video, id, split, number, image.kind === "file" && image.path.slice(tree.root.length + 1)],
  ]);
  assertEquals(found, [
    ["VOC/Annotations/a", "00", "train", 0, "VOC/JPEGImages/a.jpg"],
    ["film", "05", "train", 0, "film/0.jpg"],
    ["film", "05", "train", 1, "film/1.jpg"],
    ["mine/b", "00", "train", 0, "mine/b.png"],
    ["val/c", "00", "val", 0, "val/c.jpg"],
  ]);
});

Deno.test("readCsv() takes columns by their names, and reports rows that make no sense", async () => {
  await using tree = await makeTree({
    "boxes.csv": "\ufeffimage,track,x,y,w,h,split,note\r\n" +
      'cat/0001.jpg,1,1,2,3,4,val,"a, b\nc"\r\n' +
      "cat/0002.jpg,1,,,,,val,\r\n" +
      "cat/0003.jpg,1,nan,2,3,4,val,\r\n" +
      "../0004.jpg,1,1,2,3,4,val,\r\ncat/none.jpg,1,1,2,3,4,val,\r\ncat/0005.jpg,1,1,2,3,4,both,",
    "other.csv": "a,b\n1,2\n",
  });
  const { tracks: [track], faults } = await sortedItems(readCsv(tree));
  assertEquals(faults.map(({ reason }) => reason.slice(0, 34)), [
    'line 6: the image "../0004.jpg" le',
    'line 7: "cat/none.jpg" gives no fr',
    'line 8: split is "both", expected ',
    'the header is "a,b", expected "ima',
  ]);
  assertEquals([track.video, track.id, track.split], ["cat", "01", "val"]);
  assertEquals(track.frames.map(({ number, box }) => [number, box]), [
    [1, { x1: 1, y1: 2, x2: 4, y2: 6 }],
    [2, null],
    [3, { x1: NaN, y1: 2, x2: NaN, y2: 6 }],
  ]);
});
