import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { basename } from "@std/path";
import {
  type BenchmarkContent,
  benchmarkNamed,
  BENCHMARKS,
  groupMissing,
  readBenchmark,
} from "../../../src/evaluation/benchmarks/mod.ts";
import type { Sequence } from "../../../src/evaluation/sequence.ts";
import { type FolderContent, withFolder } from "./benchmark_folder.ts";

const box = { x: 1, y: 2, w: 3, h: 4 };
const size = { w: 64, h: 48 };

/** Reads a benchmark from a folder made for the test. */
async function read(name: string, content: FolderContent, path = ""): Promise<BenchmarkContent> {
  let found: BenchmarkContent | undefined;
  await withFolder(content, async (root) => {
    found = await readBenchmark(benchmarkNamed(name), root + path);
  });
  return found!;
}

function named(content: BenchmarkContent, name: string): Sequence {
  return content.sequences.find((sequence) => sequence.name === name)!;
}

function pictures({ frames }: Sequence): string[] {
  return frames.map((path) => basename(path, ".png"));
}

Deno.test("benchmarkNamed() takes other spellings and suggests for a typo", () => {
  assertEquals(benchmarkNamed("vot2018-lt").name, "VOT2018-LT");
  assertEquals(benchmarkNamed("GOT10k").name, "GOT-10k");
  assertEquals(benchmarkNamed("otb2015").name, "OTB100");
  assertThrows(() => benchmarkNamed("UAV132"), RangeError, "did you mean UAV123");
});

Deno.test("editions have as many sequences as published", () => {
  const counts = Object.entries(BENCHMARKS)
    .flatMap(([name, benchmark]) =>
      "sequences" in benchmark ? [[name, new Set(benchmark.sequences).size]] : []
    );
  assertEquals(Object.fromEntries(counts), {
    OTB100: 100,
    OTB50: 50,
    CVPR13: 51,
    UAV123: 123,
    UAV20L: 20,
    NFS30: 100,
    NFS240: 100,
    LaSOT: 280,
    DTB70: 70,
    VOT2016: 60,
    VOT2017: 60,
    VOT2018: 60,
    VOT2019: 60,
    "VOT2018-LT": 35,
  });
});

Deno.test("OTB: delimiters, two targets, a late start, attributes, and what is missing", async () => {
  const content = await read("OTB100", {
    "David/groundtruth_rect.txt": "1,2,3,4\n1,2,3,4\n",
    "David/img": 301,
    "Jogging/groundtruth_rect.1.txt": "1\t2\t3\t4\n",
    "Jogging/groundtruth_rect.2.txt": "5\t2\t3\t4\n",
    "Human4/groundtruth_rect.2.txt": "1 2 3 4\n",
    "Boy/groundtruth_rect.txt": "1,2,3\n",
    "Car1/groundtruth_rect.txt": "1,2,3,4\n1,2,3,4\n",
    "Car1/img": 1,
  });
  assertEquals(content.sequences.map(({ name }) => name), [
    "David",
    "Human4-2",
    "Jogging-1",
    "Jogging-2",
  ]);
  assertEquals(pictures(named(content, "David")), ["0300", "0301"]);
  assertEquals(named(content, "David").truth, [box, box]);
  assertEquals(named(content, "David").size, size);
  assertEquals(named(content, "David").attributes.includes("IV"), true);
  assertEquals(named(content, "Jogging-2").truth, [{ ...box, x: 5 }]);
  const reason = (name: string) => content.missing.find((part) => part.name === name)!.reason;
  assertEquals(content.missing.length, 96);
  assertEquals(reason("Boy").includes("line 1: found 3 numbers"), true);
  assertEquals(reason("Car1").includes("found 1 pictures, expected 2"), true);
});

Deno.test("OTB: pictures cut to the frames of the truth are taken as they are", async () => {
  const content = await read("OTB100", {
    "David/groundtruth_rect.txt": "1,2,3,4\n1,2,3,4\n",
    "David/img": 2,
    "Tiger1/groundtruth_rect.txt": "1,2,3,4\n",
  });
  assertEquals(pictures(named(content, "David")), ["0001", "0002"]);
  assertEquals(named(content, "Tiger1").mayOmit, 5);
});

Deno.test("UAV123: parts of a video, flags, NaN", async () => {
  const content = await read("UAV123", {
    "anno/UAV123/bike1.txt": "1,2,3,4\nNaN,NaN,NaN,NaN\n",
    "anno/UAV123/att/bike1.txt": "1,0,0,0,0,0,0,0,0,0,1,0\n",
    "anno/UAV123/bird1_2.txt": "1,2,3,4\n",
    "data_seq/UAV123/bird1": 776,
  });
  assertEquals(named(content, "bike1").truth, [box, null]);
  assertEquals(named(content, "bike1").attributes, ["SV", "CM"]);
  assertEquals(pictures(named(content, "bird1_2")), ["0775"]);
});

Deno.test("NFS: both layouts, boxes denser than pictures", async () => {
  const line = (x: number) => `0 ${x} 2 ${x + 3} 6 ${x} 0 0 0 "ball"\n`;
  const content = await read("NFS", {
    "bee/30/bee.txt": Array.from({ length: 16 }, (_, x) => line(x)).join(""),
    "bee/30/bee": 2,
    "anno/nfs_yoyo.txt": "1\t2\t3\t4\n",
    "sequences/yoyo": 1,
  });
  assertEquals(named(content, "bee").truth, [{ ...box, x: 0 }, { ...box, x: 8 }]);
  assertEquals(named(content, "yoyo").truth, [box]);
});

Deno.test("NFS: boxes of 240 frames a second are told without pictures, too", async () => {
  const lines = (count: number) =>
    Array.from({ length: count }, (_, x) => `0 ${x} 2 ${x + 3} 6 ${x} 0 0 0 "ball"\n`).join("");
  const content = await read("NFS30", {
    "bee/30/bee.txt": lines(16),
    "bee/240/bee.txt": lines(16),
    "yoyo/30/yoyo.txt": lines(2),
    "yoyo/240/yoyo.txt": lines(16),
  });
  assertEquals(named(content, "bee").truth, [{ ...box, x: 0 }, { ...box, x: 8 }]);
  assertEquals(named(content, "yoyo").truth.length, 2);
});

Deno.test("LaSOT: the truth alone, as its toolkit has it", async () => {
  const files = {
    "sequence_evaluation_config/testing_set.txt": "cat-1\ncat-2\n",
    "annos/cat-1.txt": "1,2,3,4\n1,2,3,4\n",
    "annos/absent/cat-1.txt": "0\n1\n",
    "annos/att/cat-1.txt": "0,1,0,0,0,0,0,0,0,0,0,0,0,0",
  };
  const content = await read("LaSOT", files);
  assertEquals(content.sequences.length, 1);
  const { truth, visible, attributes, frames } = named(content, "cat-1");
  assertEquals([truth, frames], [[box, box], []]);
  assertEquals([visible, attributes], [[true, false], ["POC"]]);
  const missing = content.missing.find(({ name }) => name === "cat-2")!;
  assertEquals(missing.reason.includes('nor "annos/cat-2.txt" is in'), true);
  const absent = [missing, { name: "cat-3", reason: missing.reason.replaceAll("cat-2", "cat-3") }];
  const [group, ...others] = groupMissing(absent);
  assertEquals([group.names, others], [["cat-2", "cat-3"], []]);
  assertEquals(group.reason.includes('nor "annos/<sequence>.txt" is in'), true);
  assertEquals(groupMissing([missing]), [{ names: ["cat-2"], reason: missing.reason }]);
  assertEquals(named(await read("LaSOT", files, "/annos"), "cat-1").visible, [true, false]);
});

Deno.test("LaSOT: folders by class or flat, visibility, its own list", async () => {
  const content = await read("LaSOT", {
    "testing_set.txt": "cat-1\nmonkey-17\n",
    "cat/cat-1/groundtruth.txt": "1,2,3,4\n1,2,3,4\n1,2,3,4\n",
    "cat/cat-1/full_occlusion.txt": "0,1,0",
    "cat/cat-1/out_of_view.txt": "0,0,1",
    "cat/cat-1/img": 3,
    "att/cat-1.txt": "0,1,0,0,0,0,0,0,0,0,0,0,0,0",
    "monkey-17/groundtruth.txt": "1,2,3,4\n",
  });
  assertEquals(named(content, "cat-1").visible, [true, false, false]);
  assertEquals(named(content, "cat-1").attributes, ["POC"]);
  assertEquals(named(content, "monkey-17").mayExceed, true);
});

Deno.test("GOT-10k: cover labels, resolution, and a test set with its first box only", async () => {
  const files = {
    "val/list.txt": "v1\nv2\n",
    "val/v1/groundtruth.txt": "1,2,3,4\n1,2,3,4\n",
    "val/v1/cover.label": "8\n0\n",
    "val/v1/meta_info.ini": "[METAINFO]\nroot_class: person\nresolution: (1920, 1080)\n",
    "test/list.txt": "t1\n",
    "test/t1/groundtruth.txt": "1,2,3,4\n",
    "test/t1": 3,
  };
  const content = await read("GOT-10k", files);
  assertEquals(content.missing.map(({ name }) => name), ["v2"]);
  const { cover, size, attributes } = named(content, "v1");
  assertEquals({ cover, size, attributes }, {
    cover: [8, 0],
    size: { w: 1920, h: 1080 },
    attributes: ["person"],
  });
  const { frames, truth } = named(await read("GOT-10k", files, "/test"), "t1");
  assertEquals([frames.length, truth.length], [3, 1]);
  const { "test/list.txt": list, "test/t1/groundtruth.txt": first, "test/t1": count } = files;
  const testOnly = { "test/list.txt": list, "test/t1/groundtruth.txt": first, "test/t1": count };
  assertEquals(named(await read("GOT-10k", testOnly), "t1").truth.length, 1);
  await assertRejects(() => read("GOT-10k", {}), Deno.errors.NotFound, 'Cannot find "list.txt"');
});

Deno.test("TrackingNet: pictures are numbered without zeros, a damaged one has no size", async () => {
  const content = await read("TrackingNet", {
    "TEST/anno/v.txt": "1,2,3,4\n",
    "TEST/frames/v/10.png": "",
    "TEST/frames/v/9.png": "",
  });
  assertEquals(pictures(named(content, "v")), ["9", "10"]);
  assertEquals(named(content, "v").size, undefined);
});

Deno.test("VOT: polygons, tags, pictures in color or beside the truth", async () => {
  const content = await read("VOT2018", {
    "list.txt": "bag\ngone\n",
    "bag/groundtruth.txt": "1,1,5,1,5,5,1,5\n1,2,3,4\n",
    "bag/color": 2,
    "bag/occlusion.tag": "0\n1\n",
    "other/groundtruth.txt": "1,2,3,4\n",
  });
  assertEquals(content.sequences.map(({ name }) => name), ["bag"]);
  const missing = content.missing.map(({ name }) => name);
  assertEquals([missing[0], missing.length], ["gone", 60]);
  assertEquals(missing.includes("zebrafish1") && !missing.includes("bag"), true);
  const { truth, tags, size: found } = named(content, "bag");
  assertEquals(truth, [{ points: [1, 1, 5, 1, 5, 5, 1, 5] }, box]);
  assertEquals([tags, found], [{ occlusion: [0, 1] }, size]);
  const older = await read("VOT2016", {
    "sequences/bag/groundtruth.txt": "1,2,3,4\n",
    "sequences/bag": 1,
    "sequences/bag/camera_motion.label": "1\n",
  });
  assertEquals(named(older, "bag").tags, { camera_motion: [1] });
  assertEquals(pictures(named(older, "bag")), ["0001"]);
});

Deno.test("VOT2018-LT: a line of NaN is a frame without target", async () => {
  const content = await read("VOT2018-LT", {
    "a/groundtruth.txt": "1,2,3,4\nnan,nan,nan,nan\n",
    "a/color": 2,
  });
  assertEquals(named(content, "a").truth, [box, null]);
});

Deno.test("DTB70: folders with truth and pictures", async () => {
  const content = await read("DTB70", { "a/groundtruth_rect.txt": "1,2,3,4\n", "a/img": 1 });
  assertEquals(named(content, "a").truth, [box]);
});

Deno.test("only a benchmark's own sequences count of another's annotations", async () => {
  const one = { gt_rect: [[1, 2, 3, 4]] };
  const files = { "a.json": JSON.stringify({ Basketball: one, Boy: one, mine: one }) };
  const { sequences, others } = await read("OTB50", files, "/a.json");
  // "Boy" is of OTB100 alone; what nobody lists is the user's own.
  assertEquals([sequences.map(({ name }) => name), others], [["Basketball", "mine"], ["Boy"]]);
  assertEquals((await read("VOT2018", files, "/a.json")).sequences.length, 3);
});

Deno.test("pysot's annotations: NaN, marks of absence, tags, sizes, damaged entries", async () => {
  const text = `{
    "a": {"video_dir": "a", "img_names": ["a/1.png", "a/2.png"], "attr": ["OCC"],
      "gt_rect": [[1, 2, 3, 4], [NaN, NaN, NaN, NaN]], "absent": [1, 0], "occlusion": [0, 1]},
    "b": {"gt_rect": [[1, 2, 3, 4, 5, 6, 7, 8]], "width": 64, "height": 48},
    "c": {"gt_rect": [[1, 2, 3]]},
    "d": {"gt_rect": "none"}
  }`;
  const content = await read("DTB70", { "DTB70.json": text });
  const { truth, visible, tags, attributes, size: unknown } = named(content, "a");
  assertEquals(truth, [box, null]);
  assertEquals([visible, tags, attributes, unknown], [
    [true, false],
    { occlusion: [0, 1] },
    ["OCC"],
    undefined,
  ]);
  assertEquals(named(content, "b").size, size);
  assertEquals(content.missing.map(({ name }) => name).slice(0, 3), ["c", "d", "Animal1"]);
  await assertRejects(() => read("DTB70", { "DTB70.json": "{" }), SyntaxError, "Cannot read");
});
