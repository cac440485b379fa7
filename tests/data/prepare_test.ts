import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { prepare, type PrepareOptions } from "../../src/data/prepare.ts";
import { readGot10k } from "../../src/data/readers/got10k.ts";
import { readSynthetic } from "../../src/data/readers/synthetic.ts";
import { readVideo } from "../../src/data/readers/video.ts";
import { readImage } from "../../src/image/decode.ts";
import { sharedPath } from "../image/golden.ts";
import { hasProgram } from "../support/programs.ts";
import type { Track } from "../../src/data/track.ts";
import { contentOf, prepareAll, temporaryFolder } from "./demo.ts";
import { fixtureJson, fixturePath } from "./golden.ts";

const demo = (out: string, workers = 0): PrepareOptions => ({
  tracks: () => readSynthetic({ videos: 3, frames: 12 }),
  out,
  workers,
});

/** Tracks of one picture each. */
async function* tracksOf(...tracks: (Partial<Track> & { path: string })[]): AsyncGenerator<Track> {
  for (const { path, ...track } of tracks) {
    const box = { x1: 10, y1: 10, x2: 40, y2: 30 };
    const frames = [{ number: 0, image: { kind: "file", path }, box }] as const;
    yield { video: "v", id: "00", frames, ...track };
  }
}

Deno.test("prepare() writes the reference's annotations and crops of GOT-10k", async () => {
  await using folder = await temporaryFolder();
  const tracks = () => readGot10k({ root: fixturePath("got_10k/input/GOT_10k") });
  const { counts } = await prepareAll({ tracks, out: folder.path, workers: 0 });
  for (const name of ["train.json", "val.json"]) {
    const expected = Deno.readTextFileSync(fixturePath(`got_10k/expected/${name}`));
    assertEquals(Deno.readTextFileSync(join(folder.path, name)), expected);
  }
  // The published script also cuts crops for boxes that its JSON drops; here they are refused.
  const published: string[] = fixtureJson("got_10k/expected/crop_files.json");
  const cut = [...(await contentOf(join(folder.path, "crop511"))).keys()];
  assertEquals(cut.filter((path) => !published.some((name) => name.endsWith(path))), []);
  assertEquals(cut.length, counts.written);
  const refused = Object.values(counts.refused).reduce((sum, n) => sum + n, 0);
  assertEquals([counts.boxes, counts.written + refused, counts.quarantined], [13, 13, 0]);
});

Deno.test("prepare() gives the same bytes with any number of workers", async () => {
  await using one = await temporaryFolder();
  await using two = await temporaryFolder();
  await prepareAll(demo(one.path, 0));
  const { counts } = await prepareAll(demo(two.path, 2));
  assertEquals([counts.boxes, counts.written], [48, 48]);
  assertEquals(await contentOf(two.path), await contentOf(one.path));
  const image = await readImage(join(one.path, "crop511/train/0001/000007.00.x.jpg"));
  assertEquals([image.width, image.height], [511, 511]);
});

Deno.test("prepare() goes on where a stopped run was, and ends with the same bytes", async () => {
  await using whole = await temporaryFolder();
  await using stopped = await temporaryFolder();
  await prepareAll(demo(whole.path));
  for await (const { counts } of prepare(demo(stopped.path))) if (counts.written > 15) break;
  const crops = join(stopped.path, "crop511/train/0000");
  await Deno.writeFile(join(crops, "000003.00.x.jpg"), new Uint8Array(0)); // lost in a power cut
  await Deno.truncate(join(crops, "000004.00.x.jpg"), 999);
  await Deno.writeTextFile(join(crops, "000005.00.x.jpg.partial"), "half");
  await Deno.remove(join(crops, "000005.00.x.jpg"));
  const { counts } = await prepareAll(demo(stopped.path));
  assert(counts.existing > 5 && counts.written + counts.existing === 48);
  assertEquals(await contentOf(stopped.path), await contentOf(whole.path));
});

Deno.test("prepare() refuses a folder that holds other crops", async () => {
  await using folder = await temporaryFolder();
  await prepareAll(demo(folder.path));
  const other = () => readSynthetic({ videos: 3, frames: 12, seed: 9 });
  const again = prepareAll({ tracks: other, out: folder.path, workers: 0 });
  await assertRejects(() => again, RangeError, "it holds crops of other boxes or settings");
  await Deno.remove(join(folder.path, "prepare.json"));
  const foreign = prepareAll(demo(folder.path));
  await assertRejects(() => foreign, RangeError, "it holds annotations of another origin");
});

Deno.test("prepare() puts bad frames in quarantine, and the counts add up", async () => {
  await using folder = await temporaryFolder();
  const good = fixturePath("../images/noise.png");
  const jpeg = await Deno.readFile(fixturePath("../images/jpeg.q95.jpg"));
  const bad = { text: join(folder.path, "a.jpg"), short: join(folder.path, "b.jpg") };
  await Deno.writeTextFile(bad.text, "no picture");
  await Deno.writeFile(bad.short, jpeg.subarray(0, 3000));
  const noArea = [{
    number: 0,
    image: { kind: "file", path: good },
    box: { x1: 5, y1: 5, x2: 5, y2: 9 },
  }] as const;
  const tracks = () =>
    tracksOf(
      { path: good },
      { path: good, frames: noArea, id: "01" },
      { path: good, frames: [{ ...noArea[0], box: null }], id: "02" },
      {
        path: good,
        boxRule: "inside",
        video: "w",
        frames: [{ ...noArea[0], box: { x1: -1, y1: 0, x2: 9, y2: 9 } }],
      },
      { path: good, video: "w" }, // the same track again
      { path: good, video: "../out" },
      { path: good, video: "x", id: "../../out" },
      { path: "/nowhere/c.jpg", video: "x" },
      { path: bad.text, video: "y" },
      { path: bad.short, video: "z" },
    );
  const out = join(folder.path, "out");
  const { counts, quarantine } = await prepareAll({ tracks, out, workers: 0 });
  assertEquals(counts, {
    boxes: 10,
    written: 1,
    existing: 0,
    faults: 0,
    refused: {
      "the box has no area": 1,
      "the target is not given": 1,
      "the box is not inside the picture": 1,
    },
    quarantined: 6,
  });
  assertEquals(JSON.parse(Deno.readTextFileSync(join(out, "quarantine.json"))), quarantine);
  const reasons = Object.fromEntries(
    quarantine.map(({ video, track, reason }) => [`${video} ${track}`, reason]),
  );
  assertEquals(reasons["../out 00"], "the name of the video leads out of its folder");
  assertEquals(reasons["x 00"].includes("/nowhere/c.jpg"), true);
  assertEquals(reasons["y 00"].includes("a.jpg"), true);
  assertEquals(reasons["z 00"].includes("b.jpg"), true);
  const files = [...(await contentOf(out)).keys()].filter((path) => path.startsWith("crop511"));
  assertEquals(files, ["crop511/v/000000.00.x.jpg"]);
});

Deno.test("prepare() stops when a crop cannot be written", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(join(folder.path, "crop511"), "in the way of the folder");
  await assertRejects(() => prepareAll(demo(folder.path)));
  await assertRejects(() => prepareAll(demo(folder.path, 1)));
});

Deno.test("prepare() splits off every n-th video, and writes template crops, when told", async () => {
  await using folder = await temporaryFolder();
  await prepareAll({ ...demo(folder.path), valEvery: 2, templateCrops: true });
  const videos = (name: string) =>
    Object.keys(JSON.parse(Deno.readTextFileSync(join(folder.path, name))));
  assertEquals([videos("train.json"), videos("val.json")], [["train/0000", "train/0002"], [
    "train/0001",
    "val/0000",
  ]]);
  const { width } = await readImage(join(folder.path, "crop511/train/0000/000000.00.z.jpg"));
  assertEquals(width, 127);
});

Deno.test("prepare() refuses a source without boxes", async () => {
  await using folder = await temporaryFolder();
  const empty = prepareAll({ tracks: () => tracksOf(), out: folder.path });
  await assertRejects(() => empty, RangeError, "no boxes were found");
});

Deno.test({
  name: "prepare() cuts the frames of a video file as those of its pictures",
  ignore: !sharedPath("realdata/bag.avi") || !await hasProgram("ffmpeg") ||
    !await hasProgram("ffprobe"),
  async fn() {
    await using folder = await temporaryFolder();
    const boxes = join(folder.path, "boxes.txt");
    // More lines than frames: the last two are reported, not lost.
    await Deno.writeTextFile(boxes, "292,128,146,132\n".repeat(198));
    const tracks = () => readVideo({ root: sharedPath("realdata/bag.avi")!, boxes });
    const out = join(folder.path, "out");
    const { counts, quarantine } = await prepareAll({ tracks, out, workers: 0 });
    assertEquals([counts.written, counts.quarantined], [196, 2]);
    assertEquals(quarantine.map(({ frame }) => frame), [196, 197]);
  },
});
