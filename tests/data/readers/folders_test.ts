import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { findFoldersWith } from "../../../src/data/readers/folders.ts";
import { readOtb } from "../../../src/data/readers/otb.ts";
import { readVideo } from "../../../src/data/readers/video.ts";
import { allTracks, sortedItems } from "../demo.ts";
import { makeTree, pictures } from "./tree.ts";
import { readVot } from "../../../src/data/readers/vot.ts";

Deno.test("readOtb() reads a track from each box file and counts pixels from 0", async () => {
  await using tree = await makeTree({
    "Jogging/groundtruth_rect.1.txt": "11,21,5,6\n12,22,5,6\n",
    "Jogging/groundtruth_rect.2.txt": "31\t41\t5\t6\n",
    ...pictures("Jogging/img", 3),
    "David/groundtruth_rect.txt": "1 1 2 2\n",
    ...pictures("David/img", 301),
  });
  const [david, first, second] = await allTracks(readOtb(tree));
  assertEquals([first.video, first.id, second.id], ["Jogging", "00", "01"]);
  assertEquals(first.frames.map(({ box }) => box?.x1), [10, 11]);
  assertEquals(second.frames[0].box, { x1: 30, y1: 40, x2: 35, y2: 46 });
  const image = david.frames[0].image;
  assertEquals(image, { kind: "file", path: `${tree.root}/David/img/0300.jpg` });
});

Deno.test("readVot() finds pictures in color or beside the boxes", async () => {
  await using tree = await makeTree({
    "bag/groundtruth.txt": "0,0,10,0,10,10,0,10\n",
    ...pictures("bag/color", 1),
    "ball/groundtruth.txt": "1,2,3,4\n5,6,7,8\n",
    ...pictures("ball", 1),
  });
  const [bag, ball] = await allTracks(readVot(tree));
  assertEquals(bag.frames.length, 1);
  assertEquals(bag.frames[0].image, { kind: "file", path: `${tree.root}/bag/color/0001.jpg` });
  // The second box has no picture: it is kept, to be reported.
  assertEquals(ball.frames[1].fault, "there are 2 boxes and 1 pictures");
});

Deno.test("readVideo() takes a folder of pictures, or the frames of a file", async () => {
  await using tree = await makeTree({
    "boxes.txt": "1,2,3,4\nnan,nan,nan,nan\n",
    "cat.mp4": "",
    ...pictures("cats", 2),
  });
  const boxes = join(tree.root, "boxes.txt");
  const [folder] = await allTracks(readVideo({ root: join(tree.root, "cats"), boxes }));
  assertEquals([folder.video, folder.frames[1].box], ["cats", null]);
  const [film] = await allTracks(readVideo({ root: join(tree.root, "cat.mp4"), boxes }));
  assertEquals(film.video, "cat");
  assertEquals(film.frames[1].image, { kind: "video", path: join(tree.root, "cat.mp4"), index: 1 });
  const { faults } = await sortedItems(readVideo({ root: tree.root })); // a film without boxes
  assertEquals(faults.map(({ file }) => file), [join(tree.root, "cat.txt")]);
  await Deno.writeTextFile(join(tree.root, "cat.txt"), "1,2,3,4\n");
  assertEquals((await allTracks(readVideo({ root: tree.root })))[0].frames.length, 1);
  await assertRejects(
    () => readVideo({ root: join(tree.root, "cats") }).next(),
    TypeError,
    "pass --boxes FILE",
  );
});

Deno.test("findFoldersWith() follows links, but not in circles", async () => {
  await using tree = await makeTree({ "a/b/x.txt": "", "elsewhere/c/x.txt": "" });
  const root = join(tree.root, "a");
  await Deno.symlink(root, join(root, "b", "up"));
  await Deno.symlink(join(tree.root, "elsewhere"), join(root, "link"));
  await Deno.symlink("/nowhere", join(root, "dangling"));
  const found = await Array.fromAsync(findFoldersWith(root, (name) => name === "x.txt"));
  assertEquals(found.map(({ folder }) => folder.slice(root.length)), ["/b", "/link/c"]);
});
