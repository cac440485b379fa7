import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { encodePng } from "../../src/image/encode.ts";
import { listFrames, readFrames } from "../../src/image/frames.ts";
import { createImage, type Image, meanColor } from "../../src/image/image.ts";
import { readVideo, videoInfo } from "../../src/image/video.ts";
import { hasProgram } from "../support/programs.ts";
import { assertSamePixels, golden, goldenImage, sharedPath } from "./golden.ts";

const ffmpeg = await hasProgram("ffmpeg");
const bag = sharedPath("realdata/bag.avi");
const frames = [0, 1, 2].map((k): Image => ({
  width: 6,
  height: 4,
  data: Uint8Array.from({ length: 72 }, (_, i) => (i * 5 + k * 31) % 256),
}));

async function writeVideo(path: string): Promise<void> {
  const args = "-v error -f rawvideo -pix_fmt bgr24 -s 6x4 -r 10 -i pipe:0 -c:v rawvideo -pix_fmt";
  const child = new Deno.Command("ffmpeg", {
    args: [...args.split(" "), "bgr24", path],
    stdin: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  for (const { data } of frames) await writer.write(data);
  await writer.close();
  assert((await child.status).success);
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "readVideo() gives every pixel of every frame; videoInfo() the size and rate",
  ignore: !ffmpeg,
  fn: () =>
    inFolder(async (folder) => {
      const path = `${folder}/three frames.avi`;
      await writeVideo(path);
      const read = await Array.fromAsync(readFrames(path));
      assertEquals(read.length, 3);
      read.forEach((frame, i) => assertSamePixels(frame, frames[i]));
      assertEquals(await videoInfo(path), { width: 6, height: 4, framesPerSecond: 10, frames: 3 });
    }),
});

Deno.test({
  name: "readVideo() names the file that it cannot read, with ffmpeg's reason",
  ignore: !ffmpeg,
  fn: () =>
    inFolder(async (folder) => {
      const path = `${folder}/no.avi`;
      await Deno.writeTextFile(path, "no video");
      await assertRejects(() => readVideo(path).next(), Error, `Cannot read the video "${path}"`);
    }),
});

Deno.test("readVideo() without ffmpeg says how to get it", async () => {
  const searchPath = Deno.env.get("PATH");
  try {
    Deno.env.set("PATH", "/nowhere");
    await assertRejects(() => readVideo("a.mp4").next(), Error, "apt install ffmpeg");
  } finally {
    if (searchPath !== undefined) Deno.env.set("PATH", searchPath);
  }
});

Deno.test({
  name: "readVideo() of bag.avi equals OpenCV's frames",
  ignore: !ffmpeg || bag === undefined,
  async fn() {
    const { width, height, fps, frames, mean_bgr } = golden.video;
    assertEquals(await videoInfo(bag!), { width, height, frames, framesPerSecond: fps });
    const means = new Map(Object.entries(mean_bgr));
    let index = 0;
    for await (const frame of readVideo(bag!)) {
      if (index === 60) assertSamePixels(frame, await goldenImage("bag.060.png"));
      const wanted = means.get(`${index++}`);
      if (wanted) meanColor(frame).forEach((v, i) => assertAlmostEquals(v, wanted[i], 1e-9));
    }
    assertEquals(index, frames);
  },
});

Deno.test({
  name: "readVideo() may be left early",
  ignore: !ffmpeg || bag === undefined,
  async fn() {
    for await (const { width } of readVideo(bag!)) {
      assertEquals(width, 480);
      break;
    }
  },
});

Deno.test("readFrames() reads a folder in natural order, and refuses one without pictures", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/groundtruth.txt`, "");
    await assertRejects(() => readFrames(folder).next(), RangeError, "no JPEG or PNG");
    for (const [name, width] of [["10", 3], ["9", 2], ["1", 1]] as const) {
      await Deno.writeFile(`${folder}/${name}.png`, await encodePng(createImage(width, 1)));
    }
    const names = (await listFrames(folder)).map((path) => path.slice(folder.length + 1));
    assertEquals(names, ["1.png", "9.png", "10.png"]);
    const widths = (await Array.fromAsync(readFrames(folder))).map(({ width }) => width);
    assertEquals(widths, [1, 2, 3]);
    await assertRejects(() => readFrames(`${folder}/none`).next(), Deno.errors.NotFound);
  }));

Deno.test({
  name: "readVideo() opens a source of a given form, as a camera is",
  ignore: !ffmpeg,
  async fn() {
    const frames = await Array.fromAsync(
      readVideo("testsrc=size=64x48:rate=5:duration=1", { form: "lavfi" }),
    );
    assertEquals(frames.map(({ width, height }) => [width, height]), Array(5).fill([64, 48]));
  },
});
