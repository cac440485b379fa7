import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { temporaryFolder } from "../data/demo.ts";

const task = new URL("../../tasks/prep_data.ts", import.meta.url).pathname;

async function run(...args: string[]) {
  const command = new Deno.Command(Deno.execPath(), { args: ["run", "-A", task, ...args] });
  const { code, stdout, stderr } = await command.output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, lines: out.trim().split("\n"), err };
}

Deno.test("prep-data prepares the synthetic source and ends with a line of JSON", async () => {
  await using folder = await temporaryFolder();
  const size = ["--videos", "2", "--frames", "10", "--workers", "2"];
  const { code, lines } = await run(
    "--source",
    "synthetic",
    "--out",
    folder.path,
    ...size,
    "--json",
  );
  assertEquals(code, 0);
  const { videos, boxes, written, quarantined } = JSON.parse(lines.at(-1)!);
  assertEquals({ videos, boxes, written, quarantined }, {
    videos: 3,
    boxes: 30,
    written: 30,
    quarantined: 0,
  });
  const train = JSON.parse(Deno.readTextFileSync(join(folder.path, "train.json")));
  assertEquals(Object.keys(train), ["train/0000", "train/0001"]);
});

Deno.test("prep-data says what is wrong with its arguments", async () => {
  for (
    const [args, message] of [
      [["--out", "x"], "--source and --out are needed"],
      [["--source", "/nowhere", "--out", "x"], 'Cannot find "/nowhere", expected the folder'],
      [
        ["--source", new URL("../geometry", import.meta.url).pathname, "--out", "x"],
        "it has no known form, pass --format with one of vid",
      ],
      [["--source", "x", "--out", "x", "--format", "voz"], '--format is "voz", expected'],
      [["--source", "synthetic", "--out", "x", "--videos", "many"], '--videos is "many"'],
      [["--sauce", "x"], 'unknown argument "--sauce"'],
      [["--source", "/nowhere", "--out", "x", "--format", "otb"], 'Cannot find "/nowhere"'],
    ] as [string[], string][]
  ) {
    const { code, err } = await run(...args);
    assertEquals(code, 1);
    assert(err.includes(message), err);
    await assertRejects(() => Deno.stat("x"), Deno.errors.NotFound);
  }
});
