import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import type { Corner } from "../../src/geometry/boxes.ts";
import { readImage } from "../../src/image/decode.ts";
import { encodeJpeg } from "../../src/image/encode.ts";
import { createImage, type Image } from "../../src/image/image.ts";
import type { Track } from "../../src/data/track.ts";
import { prepare } from "../../src/data/prepare.ts";
import { readSynthetic } from "../../src/data/readers/synthetic.ts";
import { contentOf, prepareAll, temporaryFolder } from "./demo.ts";
import { fixturePath } from "./golden.ts";

const PICTURE = fixturePath("../images/noise.png");
const BOX = { x1: 10, y1: 10, x2: 40, y2: 30 };

function track(name: Partial<Track> & { path?: string; box?: Corner | null }): Track {
  const { path = PICTURE, box = BOX, ...rest } = name;
  return {
    ...{ video: "v", id: "00" },
    frames: [{ number: 0, image: { kind: "file", path }, box }],
    ...rest,
  };
}

async function prepareTracks(out: string, tracks: readonly Track[]) {
  async function* read() {
    for (const one of tracks) yield await Promise.resolve(one);
  }
  return await prepareAll({ tracks: read, out, workers: 0 });
}

Deno.test("prepare() writes nothing outside its folder, whatever names say", async () => {
  await using folder = await temporaryFolder();
  const bad = ["../v", "a/../../v", "/v", "a//v", "a/.", "a\\v", "a\0v", "", "x".repeat(256)]
    .concat("é".repeat(128), `${"n/".repeat(1500)}n`, "\ud800");
  const badIds = ["..", "a/b", "", "x".repeat(240), "a\0"];
  const out = join(folder.path, "set");
  const { counts, quarantine } = await prepareTracks(out, [
    ...bad.map((video) => track({ video })),
    ...badIds.map((id) => track({ video: "ids", id })),
    track({ video: `häuser/${"長".repeat(85)}` }), // 255 bytes
    track({ video: "a b/%2e%2e", id: ".hidden ☃" }),
  ]);
  assertEquals([counts.written, counts.quarantined], [2, bad.length + badIds.length]);
  assertEquals(quarantine.length, bad.length + badIds.length);
  const files = [...(await contentOf(folder.path)).keys()];
  assert(files.every((path) => path.startsWith("set/")), files.join());
  const crops = files.filter((path) => path.includes("crop511")).sort();
  assertEquals(crops, [
    "set/crop511/a b/%2e%2e/000000..hidden ☃.x.jpg",
    `set/crop511/häuser/${"長".repeat(85)}/000000.00.x.jpg`,
  ]);
  const train = JSON.parse(await Deno.readTextFile(join(out, "train.json")));
  assertEquals(Object.keys(train), ["a b/%2e%2e", `häuser/${"長".repeat(85)}`]);
});

Deno.test("prepare() refuses boxes that are no boxes, and says how many of each", async () => {
  await using folder = await temporaryFolder();
  const { width } = await readImage(PICTURE);
  const corner = (x1: number, y1: number, x2: number, y2: number) => ({ x1, y1, x2, y2 });
  const boxes: (Corner | null)[] = [
    corner(NaN, 1, 9, 9),
    corner(1, 1, Infinity, 9),
    corner(9, 9, 1, 1),
    corner(9, 1, 1, 9),
    corner(4, 4, 4, 4),
    corner(-20, -20, -5, -5),
    corner(width, 1, width + 9, 9),
    null,
    corner(-5, -5, 9, 9), // partly in it
  ];
  const tracks = boxes.map((box, i) => track({ video: `${i}`, box }));
  const { counts } = await prepareTracks(folder.path, tracks);
  assertEquals(counts.refused, {
    "the box has no area": 5,
    "the box lies outside the picture": 2,
    "the target is not given": 1,
  });
  assertEquals([counts.written, counts.quarantined], [1, 0]);
});

Deno.test("prepare() keeps the first of two boxes of one frame, and reports the other", async () => {
  await using folder = await temporaryFolder();
  const other = { ...BOX, x1: 5 };
  const { counts, quarantine: [entry] } = await prepareTracks(folder.path, [
    ...[track({}), track({ id: "01" }), track({ box: other })],
  ]);
  assertEquals([counts.boxes, counts.written, counts.quarantined], [3, 2, 1]);
  assertEquals(entry, {
    file: PICTURE,
    reason: "the frame of this track stands there twice",
    ...{ video: "v", track: "00", frame: 0 },
  });
  const train = JSON.parse(await Deno.readTextFile(join(folder.path, "train.json")));
  assertEquals(train.v["00"]["000000"], [10, 10, 40, 30]);
});

Deno.test("prepare() reports a frame whose number is none, and cuts the others of its track", async () => {
  await using folder = await temporaryFolder();
  const image = { kind: "file", path: PICTURE } as const;
  const frames = [NaN, 3, -1, 2 ** 31, 1.5].map((number) => ({ number, image, box: BOX }));
  const { counts, quarantine } = await prepareTracks(folder.path, [track({ frames })]);
  assertEquals([counts.boxes, counts.written, counts.quarantined], [5, 1, 4]);
  assertEquals(quarantine.every(({ reason }) => reason.includes("is no frame number")), true);
});

/** The same pixels stored lying down, with the note that they are to be turned by 90 degrees. */
async function lyingJpeg(upright: Image): Promise<Uint8Array<ArrayBuffer>> {
  const lying = createImage(upright.height, upright.width);
  for (let y = 0; y < upright.height; y++) {
    for (let x = 0; x < upright.width; x++) {
      const from = 3 * (y * upright.width + x);
      const to = 3 * ((upright.width - 1 - x) * upright.height + y);
      lying.data.set(upright.data.subarray(from, from + 3), to);
    }
  }
  const jpeg = await encodeJpeg(lying, 100);
  const exif = [0xff, 0xe1, 0, 34, ...new TextEncoder().encode("Exif\0\0MM\0*")]
    .concat([0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]);
  return Uint8Array.from([...jpeg.subarray(0, 2), ...exif, ...jpeg.subarray(2)]);
}

Deno.test("prepare() takes pictures of all kinds, and reports damaged ones", async () => {
  await using folder = await temporaryFolder();
  const smooth = createImage(90, 60);
  smooth.data.forEach((_, i) => smooth.data[i] = Math.floor(i / 3) % 90 * 2 + 30);
  const jpeg = await encodeJpeg(smooth, 95);
  const files: Record<string, Uint8Array> = {
    "plain.jpg": jpeg,
    "lying.jpg": await lyingJpeg(smooth),
    "gray.jpg": await Deno.readFile(fixturePath("../images/jpeg.gray.jpg")),
    "progressive.jpg": await Deno.readFile(fixturePath("../images/jpeg.q60_progressive.jpg")),
    "deep.png": await Deno.readFile(fixturePath("rgb16.png")),
    "empty.jpg": new Uint8Array(0),
    "text.jpg": new TextEncoder().encode("no picture"),
    "short.jpg": jpeg.subarray(0, 700),
    "header.jpg": jpeg.subarray(0, 30),
    "broken.png": (await Deno.readFile(PICTURE)).fill(7, 60, 600),
    "huge.jpg": jpeg.map((byte, i) => i === 163 || i === 165 ? 0xff : byte),
  };
  const tracks: Track[] = [];
  for (const [name, bytes] of Object.entries(files)) {
    await Deno.writeFile(join(folder.path, name), bytes);
    const box = { x1: 20, y1: 10, x2: 50, y2: 40 };
    tracks.push(track({ video: name, path: join(folder.path, name), box }));
  }
  tracks.push(track({ video: "gone.jpg", path: join(folder.path, "gone.jpg") }));
  const out = join(folder.path, "out");
  const { counts, quarantine } = await prepareTracks(out, tracks);
  const bad = quarantine.map(({ video }) => video).sort();
  const expected = ["broken.png", "empty.jpg", "gone.jpg", "header.jpg", "short.jpg", "text.jpg"];
  assertEquals(bad.filter((name) => name !== "huge.jpg"), expected);
  assert(quarantine.every(({ file, video }) => file === join(folder.path, video!)));
  assertEquals(counts.written + counts.quarantined, counts.boxes);
  const crop = (name: string) => readImage(join(out, "crop511", name, "000000.00.x.jpg"));
  const [plain, lying] = [await crop("plain.jpg"), await crop("lying.jpg")];
  const worst = plain.data.reduce((most, n, i) => Math.max(most, Math.abs(n - lying.data[i])), 0);
  assert(worst < 16, `turned pixels differ by ${worst}`);
});

Deno.test("prepare() tells that the disk is full, and goes on when it is not", async () => {
  await using folder = await temporaryFolder();
  const options = { tracks: () => readSynthetic({ videos: 1, frames: 4 }), workers: 0 };
  const out = join(folder.path, "set"), crops = join(out, "crop511/train/0000");
  await Deno.mkdir(crops, { recursive: true });
  // A crop's first name leads to a device that is always full.
  await Deno.symlink("/dev/full", join(crops, "000002.00.x.jpg.partial"));
  await assertRejects(
    () => prepareAll({ ...options, out }),
    Error,
    "free some space and start again",
  );
  const { counts } = await prepareAll({ ...options, out });
  assertEquals(counts.boxes, counts.written + counts.existing);
  const whole = join(folder.path, "whole");
  await prepareAll({ ...options, out: whole });
  assertEquals(await contentOf(out), await contentOf(whole));
});

Deno.test("prepare() waits while another one is at work in its folder", async () => {
  await using folder = await temporaryFolder();
  const tracks = () => readSynthetic({ videos: 1, frames: 4 });
  const first = prepare({ tracks, out: folder.path, workers: 0 });
  await first.next(); // its books are open
  const second = prepare({ tracks, out: folder.path, workers: 0 });
  assertEquals((await second.next()).value?.kind, "waiting");
  for await (const _ of first);
  const { counts } = (await Array.fromAsync(second)).at(-1)!;
  assertEquals([counts.existing, counts.written], [8, 0]);
});

Deno.test("prepare() names what makes its books unreadable", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(join(folder.path, "prepare.sqlite"), "no books ".repeat(100));
  const tracks = () => readSynthetic({ videos: 1, frames: 4 });
  await assertRejects(
    () => prepareAll({ tracks, out: folder.path, workers: 0 }),
    Error,
    "remove it and start again",
  );
});
