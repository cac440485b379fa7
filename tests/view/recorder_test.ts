import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { createImage } from "../../src/image/image.ts";
import { readFrames } from "../../src/image/frames.ts";
import { TrackRecorder } from "../../src/view/recorder.ts";
import { hasProgram } from "../support/programs.ts";

const FRAMES = 5;

function tracked(i: number, width = 61) {
  return { frame: createImage(width, 48), box: { x: 10 + i, y: 30.5, w: 20, h: 12 }, score: 0.5 };
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("TrackRecorder writes boxes as lines or JSON, and pictures", () =>
  inFolder(async (folder) => {
    const path = (name: string) => join(folder, name);
    for (const boxes of ["b.txt", "b.json"].map(path)) {
      await using recorder = new TrackRecorder({ boxes, gif: path("a.gif"), png: path("a.png") });
      for (let i = 0; i < FRAMES; i++) await recorder.write(tracked(i));
      assertEquals(await recorder.close(), [boxes, path("a.gif"), path("a.png")]);
    }
    const lines = (await Deno.readTextFile(path("b.txt"))).trimEnd().split("\n");
    assertEquals([lines.length, lines[1]], [FRAMES, "11,30.5,20,12"]);
    const { frames } = JSON.parse(await Deno.readTextFile(path("b.json")));
    assertEquals(frames[4], { index: 4, box: [14, 30.5, 20, 12], score: 0.5 });
    const head = async (name: string) => (await Deno.readFile(path(name))).slice(1, 4);
    assertEquals(new TextDecoder().decode(await head("a.gif")), "IF8");
    assertEquals(new TextDecoder().decode(await head("a.png")), "PNG");
  }));

Deno.test({
  name: "TrackRecorder writes a video of every frame with the box in it, odd sizes made even",
  ignore: !await hasProgram("ffmpeg"),
  fn: () =>
    inFolder(async (folder) => {
      const video = join(folder, "a.avi");
      await using recorder = new TrackRecorder({ video, framesPerSecond: 10 });
      for (let i = 0; i < FRAMES; i++) await recorder.write(tracked(i));
      await assertRejects(() => recorder.write(tracked(0, 30)), RangeError, "as the first");
      await recorder.close();
      const frames = await Array.fromAsync(readFrames(video));
      assertEquals(
        frames.map(({ width, height }) => [width, height]),
        Array(FRAMES).fill([62, 48]),
      );
      // The left side of the box of the last frame is green.
      const [blue, green] = frames[4].data.slice(3 * (36 * 62 + 14));
      assertEquals(green > 120 && green > blue + 60, true);
    }),
});

Deno.test({
  name: "TrackRecorder says why a video cannot be written",
  ignore: !await hasProgram("ffmpeg"),
  fn: () =>
    inFolder(async (folder) => {
      await using recorder = new TrackRecorder({ video: join(folder, "missing", "a.mp4") });
      await assertRejects(
        async () => {
          for (let i = 0; i < 50; i++) await recorder.write(tracked(i));
          await recorder.close();
        },
        Error,
        "Cannot write the video",
      );
    }),
});
