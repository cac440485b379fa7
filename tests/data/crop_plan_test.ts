import { assertEquals } from "@std/assert";
import type { CropItem } from "../../src/data/crop_job.ts";
import { cutIntoJobs } from "../../src/data/crop_plan.ts";

function item(video: number, frame: number, track: number): CropItem {
  const image = { kind: "file", path: "p" } as const;
  return {
    ...{ key: [video, frame, track], video: `${video}`, track: `${track}`, frame, image },
    ...{ box: { x1: 0, y1: 0, x2: 1, y2: 1 }, rule: "area", unit: "pixels", missing: "report" },
  };
}

const sizes = (jobs: Iterable<CropItem[]>) => [...jobs].map((job) => job.length);

Deno.test("cutIntoJobs() joins small videos, and keeps the boxes of a frame together", () => {
  const pictures = Array.from({ length: 130 }, (_, video) => item(video, 0, 0));
  assertEquals(sizes(cutIntoJobs(pictures)), [64, 64, 2]);
  const crowd = Array.from({ length: 100 }, (_, track) => item(0, 0, track));
  assertEquals(sizes(cutIntoJobs([...crowd, item(0, 1, 0), item(1, 0, 0)])), [100, 2]);
  assertEquals(sizes(cutIntoJobs([])), []);
});

Deno.test("cutIntoJobs() makes a job of each video when told", () => {
  const items = [item(0, 0, 0), item(0, 1, 0), item(1, 0, 0)];
  assertEquals(sizes(cutIntoJobs(items, { byVideo: true })), [2, 1]);
});
