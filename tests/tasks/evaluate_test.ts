import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { unzipSync } from "fflate";
import { missing } from "../backends/cuda/emulated/device.ts";
import { pictureHeader, withFolder } from "../evaluation/benchmarks/benchmark_folder.ts";
import { withFiles } from "../experiment/noise_benchmark.ts";
import { useTiny } from "../training/tiny.ts";

const task = new URL("../../tasks/evaluate.ts", import.meta.url).pathname;

async function evaluate(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", task, ...args],
    env: { NO_COLOR: "1", SIAMBAN_EMULATED_DEVICES: "2" },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

const vot = {
  "VOT2018.json": JSON.stringify({
    a: {
      gt_rect: Array(12).fill([10, 10, 20, 20]),
      width: 64,
      height: 48,
      occlusion: Array(12).fill(1),
    },
  }),
  "results/VOT2018/good/baseline/a/a_001.txt": "1\n" + "10,10,20,20\n".repeat(11),
  "results/VOT2018/good/baseline/stranger/stranger_001.txt": "1\n",
  "results/VOT2018/short/baseline/a/a_001.txt": "1\n10,10,20,20\n",
};

Deno.test("evaluate score prints a table and a line of JSON, and fails for a short result", () =>
  withFolder(vot, async (root) => {
    const { code, stdout, stderr } = await evaluate(
      "score",
      "--benchmark=VOT2018",
      `--annotations=${root}/VOT2018.json`,
      `--results=${root}/results`,
      "--json",
    );
    assertEquals(code, 1);
    assertStringIncludes(stdout, "good");
    const json = JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
    assertEquals(json.trackers.good.accuracy, 1);
    assertEquals(json.trackers.good.lost_number, 0);
    assertEquals(json.trackers.short.sequences_scored, 0);
    assertEquals(json.problems.length, 1);
    assertStringIncludes(stderr, "it has 2 frames, expected 12");
    assertMatch(stderr, /^Without ants1, ants3, .*, zebrafish1: it is not in the annotations$/m);
    assertEquals(json.missing.length, 60);
    assertStringIncludes(stderr, "Not counted of good, for no sequence here: stranger");
    assertEquals(json.ignored, { good: ["stranger"] });
  }));

Deno.test("evaluate score takes some trackers, and all conventions", () =>
  withFolder(vot, async (root) => {
    const { code, stdout } = await evaluate(
      "score",
      "--benchmark=VOT2018",
      `--annotations=${root}`,
      `--results=${root}/results/VOT2018`,
      "--trackers=good",
      "--all-conventions",
      "--per-sequence",
      "--per-attribute",
    );
    assertEquals(code, 0);
    for (const word of ["pysot", "vot", "By sequence", "occlusion"]) {
      assertStringIncludes(stdout, word);
    }
  }));

Deno.test("evaluate tells mistakes of the command line in words", async () => {
  const { code, stderr } = await evaluate("score", "--benchmark=UAV132", "--results=.");
  assertEquals(code, 1);
  assertStringIncludes(stderr, "did you mean UAV123");
  assertStringIncludes((await evaluate("scor")).stderr, 'found "scor", expected a command');
  assertStringIncludes((await evaluate("score")).stderr, "--benchmark is missing");
});

Deno.test("evaluate submit packs a tracker's results", () =>
  withFolder({
    "TEST/anno/v.txt": "1,2,3,4\n",
    "results/T/v.txt": "1,2,3,4\n1,2,3,4\n",
  }, async (root) => {
    await Deno.mkdir(`${root}/TEST/frames/v`, { recursive: true });
    for (const name of ["0.png", "1.png"]) {
      await Deno.writeFile(`${root}/TEST/frames/v/${name}`, pictureHeader(64, 48));
    }
    const { code, stderr } = await evaluate(
      "submit",
      "--benchmark=TrackingNet",
      `--annotations=${root}`,
      `--results=${root}/results`,
      `--out=${root}/out`,
    );
    assertEquals(code, 0, stderr);
    const archive = await Deno.readFile(join(root, "out", "T.zip"));
    assertEquals(Object.keys(unzipSync(archive)), ["v.txt"]);
  }));

Deno.test({
  name: "evaluate run gives each thread a GPU of its own",
  ignore: missing !== undefined,
  async fn() {
    await using _ = await useTiny();
    await withFiles("OTB100", async ({ root, annotations, config, weights }) => {
      const { code, stdout, stderr } = await evaluate(
        "run",
        "--benchmark=OTB100",
        `--annotations=${annotations}`,
        `--config=${config}`,
        `--weights=${weights}`,
        `--results=${root}/results`,
        "--device=emulated",
        "--workers=2",
      );
      assertEquals(code, 1, stderr); // one of the sequences is damaged
      const devices = [...stdout.matchAll(/, on (\S+)$/gm)].map(([, device]) => device);
      assertEquals([...new Set(devices)].sort(), ["emulated:0", "emulated:1"], stdout);
    }, 2);
  },
});
