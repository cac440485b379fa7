import { assertEquals } from "@std/assert";
import { readGot10k } from "../../../src/data/readers/got10k.ts";
import { allTracks } from "../demo.ts";
import { fixturePath } from "../golden.ts";

Deno.test("readGot10k() finds the reference's videos and boxes", async () => {
  const tracks = await allTracks(readGot10k({ root: fixturePath("got_10k/input/GOT_10k") }));
  assertEquals(tracks.map(({ video, split }) => [video, split]), [
    ["train_data/GOT-10k_Train_split_01/GOT-10k_Train_000001", "train"],
    ["train_data/GOT-10k_Train_split_01/GOT-10k_Train_000002", "train"],
    ["train_data/GOT-10k_Train_split_02/GOT-10k_Train_000501", "train"],
    ["val_data/GOT-10k_Val/GOT-10k_Val_000001", "val"],
  ]);
  assertEquals(tracks[0].frames[0].box, { x1: 10, y1: 12, x2: 50, y2: 42 }); // 10,12,40.9,30.2
  const [{ image, number }] = tracks[0].frames;
  assertEquals([image.kind === "file" && image.path.endsWith("00000001.jpg"), number], [true, 0]);
});
