import { assertEquals, assertThrows } from "@std/assert";
import { readSynthetic, syntheticVideo } from "../../../src/data/readers/synthetic.ts";

Deno.test("readSynthetic() gives the same tracks again, and others for another seed", async () => {
  const read = (seed: number) => Array.fromAsync(readSynthetic({ videos: 3, frames: 20, seed }));
  const tracks = await read(5);
  assertEquals(await read(5), tracks);
  assertEquals(tracks.map(({ video, split }) => [video, split]), [
    ["train/0000", "train"],
    ["train/0001", "train"],
    ["train/0002", "train"],
    ["val/0000", "val"],
  ]);
  assertEquals((await read(6))[0].frames[0].box === tracks[0].frames[0].box, false);
});

Deno.test("syntheticVideo() has no video in two parts", () => {
  const seeds = (["train", "val", "test"] as const).flatMap((split) =>
    [0, 1, 2 ** 24 - 1].flatMap((number) =>
      [0, 1, 2 ** 24 - 1].map((seed) => syntheticVideo(split, number, { seed }).seed)
    )
  );
  assertEquals(new Set(seeds).size, 27);
  assertEquals(seeds.every(Number.isSafeInteger), true);
  assertThrows(
    () => syntheticVideo("train", 0, { seed: -1 }),
    RangeError,
    "Cannot draw videos of seed -1",
  );
});
