import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { BANDataset, type SamplePosition } from "../../src/data/ban_dataset.ts";
import { writeAnnotations } from "../../src/data/annotations.ts";
import { AnnotationTableBuilder } from "../../src/data/annotation_table.ts";
import { SampleError, SampleWriter } from "../../src/data/sample_writer.ts";
import { targetInCrop } from "../../src/geometry/context.ts";
import { encodeJpeg, encodePng } from "../../src/image/encode.ts";
import { createImage, type Image } from "../../src/image/image.ts";
import { nativeImageLibrary } from "../../src/image/native_images.ts";
import { openDemo, prepareDemo, temporaryFolder } from "./demo.ts";

const library = await nativeImageLibrary().catch(() => undefined);
const demo = await temporaryFolder();
await prepareDemo(demo.path, { videos: 4, frames: 6 });
addEventListener("unload", () => Deno.removeSync(demo.path, { recursive: true }));

/** Sets of options by what they exercise. */
const VARIATIONS = {
  published: {},
  "everything at once": {
    template: { shift: 4, scale: 0.05, blur: 1, flip: 0.5, color: 1 },
    search: { shift: 64, scale: 0.18, blur: 1, flip: 0.5, color: 0.5 },
    gray: 0.5,
  },
  nothing: {
    template: { shift: 0, scale: 0, blur: 0, flip: 0, color: 0 },
    search: { shift: 0, scale: 0, blur: 0, flip: 0, color: 0 },
  },
};

async function sampleOf(dataset: BANDataset, position: SamplePosition, native?: string) {
  using writer = new SampleWriter(dataset, native);
  return await writer.sampleAt(position);
}

Deno.test("SampleWriter.sampleAt() is a function of the position", async () => {
  const dataset = openDemo(demo.path);
  using writer = new SampleWriter(dataset);
  const position = { seed: 4, epoch: 1, index: 7 };
  const sample = await writer.sampleAt(position);
  await writer.sampleAt({ ...position, index: 8 });
  assertEquals(await writer.sampleAt(position), sample);
  const copy = new BANDataset(structuredClone(dataset.data));
  assertEquals(await sampleOf(copy, position), sample);
  assertEquals([sample.template.length, sample.search.length], [127 * 127 * 3, 255 * 255 * 3]);
  assertEquals([sample.cls.length, sample.loc.length, sample.box.length], [625, 2500, 4]);
  assertEquals(sample.pair, dataset.pairAt(position));
  for (const change of [{ seed: 5 }, { epoch: 2 }, { index: 8 }]) {
    const other = await writer.sampleAt({ ...position, ...change });
    assert(other.search.some((value, i) => value !== sample.search[i]));
  }
});

for (const [name, options] of Object.entries(VARIATIONS)) {
  Deno.test({
    name: `SampleWriter makes the same samples natively and in TypeScript, ${name}`,
    ignore: library === undefined,
    async fn() {
      const dataset = openDemo(demo.path, options);
      using native = new SampleWriter(dataset, library), plain = new SampleWriter(dataset);
      for (let index = 0; index < 12; index++) {
        const position = { seed: 9, epoch: 0, index };
        assertEquals(await native.sampleAt(position), await plain.sampleAt(position));
      }
    },
  });
}

Deno.test("SampleWriter.times covers what a sample took", async () => {
  using writer = new SampleWriter(openDemo(demo.path), library);
  const started = performance.now();
  await writer.sampleAt({ seed: 1, epoch: 0, index: 1 });
  const elapsed = performance.now() - started;
  const sum = Object.values(writer.times).reduce((total, part) => total + part);
  assert(Object.values(writer.times).every((part) => part > 0) && sum <= elapsed);
});

Deno.test("SampleWriter.sampleAt() labels a negative pair without positives", async () => {
  for (const neg of [0, 1]) {
    const position = { seed: 1, epoch: 0, index: 2 };
    const { cls, loc, pair } = await sampleOf(openDemo(demo.path, { neg }), position);
    assertEquals(pair.negative, neg === 1);
    assertEquals([cls.includes(1), cls.includes(0)], [neg === 0, true]);
    assertEquals(loc.every((value) => value === 0), neg === 1);
  }
});

/** A set of one video of one frame: a bright rectangle where preparation puts the target. */
async function writeTarget(folder: string, box: { w: number; h: number }): Promise<BANDataset> {
  const crop = createImage(511, 511);
  const { x1, y1, x2, y2 } = targetInCrop({ w: 511, h: 511 }, box);
  for (let y = Math.round(y1); y <= Math.round(y2); y++) {
    const row = 511 * y;
    crop.data.fill(255, 3 * (row + Math.round(x1)), 3 * (row + Math.round(x2) + 1));
  }
  const builder = new AnnotationTableBuilder();
  builder.startVideo("v");
  builder.startTrack("00");
  builder.add(0, { x1: 0, y1: 0, x2: box.w, y2: box.h });
  await Deno.mkdir(`${folder}/crop511/v`, { recursive: true });
  await Deno.writeFile(`${folder}/crop511/v/000000.00.x.jpg`, await encodeJpeg(crop));
  await writeAnnotations(`${folder}/train.json`, builder.build());
  return openDemo(folder, {
    videosPerEpoch: 100,
    neg: 0,
    search: { shift: 64, scale: 0.18, blur: 0, flip: 0.5, color: 1 },
  });
}

/** The middle of what is bright, and its size from the area and the second moment. */
function findTarget(search: Float32Array): number[] {
  let [left, top, right, bottom] = [Infinity, Infinity, -1, -1];
  for (let i = 0; i < 255 * 255; i++) {
    if (search[3 * i + 1] < 128) continue;
    const x = i % 255, y = Math.floor(i / 255);
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }
  return [left, top, right, bottom];
}

for (const [name, native] of [["native code", library], ["TypeScript", undefined]] as const) {
  Deno.test({
    name: `SampleWriter keeps box and labels on the object, with ${name}`,
    ignore: name === "native code" && library === undefined,
    async fn() {
      for (const box of [{ w: 40, h: 40 }, { w: 90, h: 30 }, { w: 11.5, h: 34.25 }]) {
        await using folder = await temporaryFolder();
        using writer = new SampleWriter(await writeTarget(folder.path, box), native);
        for (let index = 0; index < 10; index++) {
          const sample = await writer.sampleAt({ seed: 5, epoch: 0, index });
          const found = findTarget(sample.search);
          found.forEach((side, i) => assertAlmostEquals(side, sample.box[i], 1.9));
          sample.cls.forEach((label, i) => {
            if (label === -1) return;
            const x = 31 + 8 * (i % 25), y = 31 + 8 * Math.floor(i / 25);
            const bright = sample.search[3 * (255 * y + x) + 1] > 128;
            if (label === 1) assert(bright, "a positive point lies on the object");
            const away = Math.hypot(x - (found[0] + found[2]) / 2, y - (found[1] + found[3]) / 2);
            if (label === 0) {
              assert(!bright || away > 12, "a negative point does not lie in its middle");
            }
          });
        }
      }
    },
  });
}

Deno.test("SampleWriter.sampleAt() names the sample and the file that it cannot read", async () => {
  await using folder = await temporaryFolder();
  await prepareDemo(folder.path, { videos: 2, frames: 4 });
  const dataset = openDemo(folder.path);
  const position = { seed: 1, epoch: 0, index: 3 };
  const { template } = dataset.pairAt(position);
  await Deno.remove(template.path);
  const error = await assertRejects(() => sampleOf(dataset, position), SampleError);
  assertEquals(error.path, template.path);
  const start = `Cannot make sample 3 of epoch 0 (seed 1) from "${template.path}"`;
  assert(error.message.startsWith(start), error.message);
});

/** Files in a crop's place, and whether a sample can be made of them. */
async function strangeFiles(): Promise<[name: string, bytes: Uint8Array, readable: boolean][]> {
  const image = grayImage(511);
  const jpeg = await encodeJpeg(image), png = await encodePng(image);
  return [
    ["a JPEG", jpeg, true],
    ["a PNG under a JPEG's name", png, true],
    ["a JPEG with something behind it", Uint8Array.from([...jpeg, 0, 0, 0]), true],
    ["an empty file", new Uint8Array(0), false],
    ["half a JPEG", jpeg.slice(0, jpeg.length >> 1), false],
    ["a JPEG without its last byte", jpeg.slice(0, -1), false],
    ["half a PNG", png.slice(0, png.length >> 1), false],
    ["a text", new TextEncoder().encode("404 Not Found"), false],
  ];
}

function grayImage(side: number): Image {
  const image = createImage(side, side);
  return { ...image, data: image.data.map((_, i) => 100 + (i % 1533) % 97) };
}

for (const [name, native] of [["native code", library], ["TypeScript", undefined]] as const) {
  Deno.test({
    name: `SampleWriter reads what can be read, skips or refuses the rest, with ${name}`,
    ignore: name === "native code" && library === undefined,
    async fn() {
      await using folder = await temporaryFolder();
      await prepareDemo(folder.path, { videos: 3, frames: 4 });
      const strict = openDemo(folder.path, { unreadable: "fail", neg: 0 });
      const lenient = openDemo(folder.path, { unreadable: "skip", neg: 0 });
      const position = { seed: 2, epoch: 0, index: 5 };
      const { path } = strict.pairAt(position).search;
      for (const [file, bytes, readable] of await strangeFiles()) {
        await Deno.writeFile(path, bytes);
        if (readable) {
          await sampleOf(strict, position, native);
          continue;
        }
        const error = await assertRejects(() => sampleOf(strict, position, native), SampleError);
        assertEquals(error.path, path, file);
        const sample = await sampleOf(lenient, position, native);
        assertEquals(sample, await sampleOf(lenient, position, native), file);
        const { template, search } = sample.pair;
        assert(template.path !== path && search.path !== path, file);
        const substitutes = Array.from({ length: 17 }, (_, i) => lenient.pairAt(position, i));
        const first = substitutes.findIndex((pair) =>
          pair.search.path !== path && pair.template.path !== path
        );
        assertEquals(sample.pair, substitutes[first], file);
      }
    },
  });
}

Deno.test("SampleWriter gives up when no substitute can be read either", async () => {
  await using folder = await temporaryFolder();
  await prepareDemo(folder.path, { videos: 2, frames: 4 });
  const dataset = openDemo(folder.path, { unreadable: "skip" });
  await Deno.remove(`${folder.path}/crop511`, { recursive: true });
  const error = await assertRejects(
    () => sampleOf(dataset, { seed: 1, epoch: 0, index: 0 }),
    SampleError,
    "the last of 17 pairs in a row",
  );
  assert(error.path.startsWith(folder.path));
});
