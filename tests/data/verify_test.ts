import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { drawCropSheet } from "../../src/data/crop_sheet.ts";
import { CropStore, openCropStore } from "../../src/data/crop_store.ts";
import { openPrepared, verifyPrepared } from "../../src/data/verify.ts";
import { encodeJpeg } from "../../src/image/encode.ts";
import { createImage } from "../../src/image/image.ts";
import { prepareAll, prepareDemo, temporaryFolder } from "./demo.ts";
import { readSynthetic } from "../../src/data/readers/synthetic.ts";

async function verify(folder: string, workers = 0) {
  const reports = await Array.fromAsync(verifyPrepared({ folder, workers, samples: 6 }));
  return reports.at(-1)!;
}

Deno.test("verifyPrepared() finds nothing wrong with what prepare() writes, in any form", async () => {
  await using files = await temporaryFolder();
  await using shards = await temporaryFolder();
  await prepareDemo(files.path, { videos: 2, frames: 40 });
  const tracks = () => readSynthetic({ videos: 2, frames: 40 });
  await prepareAll({ tracks, out: shards.path, workers: 0, pack: true });
  for (const [folder, workers] of [[files.path, 2], [shards.path, 0]] as const) {
    const { boxes, hashed, problemCount, samples } = await verify(folder, workers);
    assertEquals([boxes, hashed, problemCount, samples.length], [120, 120, 0, 6]);
  }
});

Deno.test("verifyPrepared() finds every kind of damage, and names the crop", async () => {
  await using folder = await temporaryFolder();
  await prepareDemo(folder.path, { videos: 1, frames: 8 });
  const crops = join(folder.path, "crop511/train/0000");
  const path = (frame: number) => join(crops, `00000${frame}.00.x.jpg`);
  await Deno.remove(path(0));
  await Deno.truncate(path(1), 2000);
  await Deno.writeFile(path(2), await encodeJpeg(createImage(511, 511)));
  const found = async () =>
    (await verify(folder.path)).problems.map(({ name, reason }) => [name.slice(-11, -6), reason]);
  assertEquals(await found(), [
    ["00.00", "it is not there"],
    ["01.00", "its content is not what was written"],
    ["02.00", "its content is not what was written"],
  ]);
  // Without hashes the pictures themselves are looked at.
  await Deno.remove(join(folder.path, "train.sha256"));
  await Deno.writeFile(path(3), await encodeJpeg(createImage(255, 255)));
  const [gone, short, size] = await found();
  assertEquals([gone[1], size], ["it is not there", ["03.00", "it has 255 x 255 pixels"]]);
  assert(/premature|truncated|end|failed to decode/i.test(short[1]), short[1]);
  const train = join(folder.path, "train.json");
  const boxes = JSON.parse(await Deno.readTextFile(train));
  boxes["train/0000"]["00"] = { "000004": [5, 5, 5, 9], "000005": [0, 0, 9, 9] };
  await Deno.writeTextFile(train, JSON.stringify(boxes));
  assertEquals(await found(), [
    ["04.00", "the box 5, 5, 5, 9 has no area"],
    ["repar", "the annotations hold 10 boxes, 16 were written"],
  ]);
});

Deno.test("verifyPrepared() finds a box that was moved, though its crop cannot tell", async () => {
  await using folder = await temporaryFolder();
  await prepareDemo(folder.path, { videos: 1, frames: 2 });
  const train = join(folder.path, "train.json");
  const boxes = JSON.parse(await Deno.readTextFile(train));
  boxes["train/0000"]["00"]["000000"] = [5000, 5000, 5040, 5030];
  await Deno.writeTextFile(train, JSON.stringify(boxes));
  const { problemCount, problems } = await verify(folder.path);
  const reason = "its content is not what was written";
  assertEquals([problemCount, problems], [1, [{ name: "train.json", reason }]]);
});

Deno.test("verifyPrepared() says when a preparation has not ended, or there is none", async () => {
  await using folder = await temporaryFolder();
  await assertRejects(() => verify(folder.path), RangeError, "there are no annotation files");
  await prepareDemo(folder.path, { videos: 1, frames: 2 });
  const claim = JSON.parse(await Deno.readTextFile(join(folder.path, "prepare.json")));
  delete claim.done;
  await Deno.writeTextFile(join(folder.path, "prepare.json"), JSON.stringify(claim));
  const { problems: [problem] } = await verify(folder.path);
  assertEquals(problem.reason, "the preparation has not ended, start it again");
});

Deno.test("drawCropSheet() draws each crop with its box in the middle", async () => {
  await using folder = await temporaryFolder();
  await prepareDemo(folder.path, { videos: 1, frames: 8 });
  const { samples } = await verify(folder.path);
  using store = openPrepared(folder.path);
  const sheet = await drawCropSheet(store, samples.slice(0, 3));
  assertEquals([sheet.width, sheet.height], [3 * 226 - 2, 224]);
  const [{ box: { x1, y1, x2, y2 } }] = samples;
  const [w, h] = [x2 - x1, y2 - y1];
  const scale = 127 / Math.sqrt((w + (w + h) / 2) * (h + (w + h) / 2)) * 224 / 511;
  const left = Math.round(255 * 224 / 511 - w * scale / 2) - 1;
  const middle = 3 * (112 * sheet.width + left);
  assertEquals([...sheet.data.subarray(middle, middle + 3)], [0, 255, 0]);
  using empty = new CropStore(openCropStore("/nowhere"));
  assertEquals((await drawCropSheet(empty, samples.slice(0, 1))).width, 224); // black, not an error
});
