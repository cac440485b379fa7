import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { encodeJpeg } from "../../src/image/encode.ts";
import { buildModel } from "../../src/models/mod.ts";
import { stateDict } from "../../src/nn/mod.ts";
import { Rng } from "../../src/random.ts";
import { writeSafetensors } from "../../src/weights/safetensors.ts";
import { tinyExperiment, useTiny } from "../training/tiny.ts";

const task = new URL("../../tasks/track.ts", import.meta.url).pathname;
const FRAMES = 4;

async function track(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", task, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

/** A tiny tracker's files, pictures in `a`, and a benchmark of them. */
async function withFiles(use: (root: string, files: string[]) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(root, "a"));
    const rng = new Rng(2);
    for (let i = 0; i < FRAMES; i++) {
      const data = Uint8Array.from({ length: 96 * 72 * 3 }, () => rng.integer(256));
      await Deno.writeFile(
        join(root, `a/${i}.jpg`),
        await encodeJpeg({ width: 96, height: 72, data }),
      );
    }
    const img_names = Array.from({ length: FRAMES }, (_, i) => `a/${i}.jpg`);
    const gt_rect = Array(FRAMES).fill([20, 15, 24, 20]);
    await Deno.writeTextFile(
      join(root, "OTB100.json"),
      JSON.stringify({ a: { img_names, gt_rect } }),
    );
    await using _ = await useTiny();
    using model = buildModel(tinyExperiment(), new Rng(1));
    const weights = join(root, "tiny.safetensors"), config = join(root, "tiny.json");
    await writeSafetensors(weights, stateDict(model));
    await Deno.writeTextFile(config, JSON.stringify(tinyExperiment()));
    await use(root, ["--config", config, "--weights", weights, "--threads", "1"]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("track follows a target through pictures, and writes boxes and figures", () =>
  withFiles(async (root, files) => {
    const boxes = join(root, "boxes.json"), png = join(root, "a.png");
    const { code, stdout, stderr } = await track(
      join(root, "a"),
      ...files,
      "--box=20,15,24,20",
      `--boxes=${boxes}`,
      `--png=${png}`,
      "--json",
    );
    assertEquals(code, 0, stderr);
    const json = JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
    assertEquals([json.frames, json.files], [FRAMES, [boxes, png]]);
    assertEquals(json.framesPerSecond.tracking > json.framesPerSecond.all, true);
    const { frames } = JSON.parse(await Deno.readTextFile(boxes));
    assertEquals([frames.length, frames[0].box], [FRAMES, [20, 15, 24, 20]]);
    assertEquals(frames[3].box, json.box);
  }));

Deno.test("track takes a benchmark's sequence with its box, and stops where it is told to", () =>
  withFiles(async (root, files) => {
    const boxes = join(root, "boxes.txt");
    const { code, stderr } = await track(
      "--benchmark=OTB100",
      `--annotations=${root}`,
      "--sequence=a",
      ...files,
      "--frames=2",
      `--boxes=${boxes}`,
    );
    assertEquals(code, 0, stderr);
    const lines = (await Deno.readTextFile(boxes)).trimEnd().split("\n");
    assertEquals([lines.length, lines[0]], [2, "20.5,15.5,24,20"]);
  }));

Deno.test("track tells mistakes of the command line in words", () =>
  withFiles(async (root, files) => {
    const said = async (...args: string[]) => {
      const { code, stderr } = await track(...args);
      assertEquals(code, 1);
      return stderr;
    };
    assertStringIncludes(await said(...files), "a source is missing");
    const box = "--box=1,2,0,4";
    assertStringIncludes(
      await said(join(root, "a"), ...files, box),
      'Cannot read --box: found "1,2,0,4"',
    );
    assertStringIncludes(
      await said(join(root, "none"), ...files, "--box=1,2,3,4"),
      "there is no such file or folder",
    );
    assertStringIncludes(await said("camera", ...files, "--box=1,2,3,4"), "Cannot open the camera");
  }));
