import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import type { Section } from "../../tasks/gpu_check/section.ts";
import { main } from "../../tasks/gpu_check.ts";
import { emulatedLibrary } from "../../src/backends/cuda/emulated.ts";
import { temporaryFolder } from "../data/demo.ts";
import { BACKENDS } from "../support/backends.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const emulated = BACKENDS.find(({ name }) => name === "emulated")!;

async function check(...args: string[]): Promise<{ scale: unknown; sections: Section[] }> {
  const folder = await Deno.makeTempDir();
  const log = console.log;
  console.log = () => {};
  try {
    const out = join(folder, "figures.json");
    await main(["--out", out, ...args]);
    return JSON.parse(await Deno.readTextFile(out));
  } finally {
    console.log = log;
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "gpu-check runs in its reduced form on the emulated device, and all of it is right",
  ignore: !emulated.available,
  async fn() {
    const only = "card,ops,sanitizer,training,floors,xcorr";
    const { sections } = await check("--device=emulated", "--steps=6", `--only=${only}`);
    const found = sections.map(({ name, status, detail }) => [name, status, detail]);
    for (const [name, status, detail] of found) {
      assert(status === (name === "sanitizer" ? "skipped" : "ok"), `${name}: ${detail}`);
    }
    assertEquals(found.map(([name]) => name), only.split(","));
    const figures = sections.flatMap(({ figures }) => figures);
    assert(figures.every(({ value }) => Number.isFinite(value)));
  },
});

Deno.test({
  name: "gpu-check's bundle runs in an empty folder, with loading, and adds to its figures",
  ignore: !emulated.available,
  async fn() {
    await using folder = await temporaryFolder();
    const bundle = join(folder.path, "bundle");
    await run(["task", "--quiet", "gpu-bundle"], { cwd: ROOT });
    await copy(join(ROOT, "build/gpu_check"), bundle);
    const check = (...args: string[]) =>
      run(["run", "-A", "gpu_check.js", "--device=emulated", "--steps=2", ...args], {
        cwd: bundle,
        env: { SIAMBAN_EMULATED_LIBRARY: library },
      });
    const library = await emulatedLibrary();
    await check("--only=floors");
    await check("--only=frozen,loading", "--precision=bf16");
    const { sections }: { sections: Section[] } = JSON.parse(
      await Deno.readTextFile(join(bundle, "gpu_check.json")),
    );
    const found = sections.map(({ name, status, detail }) => [name, status === "ok" || detail]);
    assertEquals(found, [["floors", true], ["frozen, bf16", true], ["loading", true]]);
    const steps = sections[1].figures.map(({ name }) => name);
    for (const graph of ["on", "off"]) {
      for (const figure of ["step", "pairs", "JavaScript", "peak memory", "convolutions"]) {
        assert(steps.includes(`bf16, graph ${graph}: ${figure}`), `${steps}`);
      }
    }
  },
});

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    await (isDirectory ? copy : Deno.copyFile)(join(from, name), join(to, name));
  }
}

/** Runs Deno; it must end well. */
async function run(args: string[], options: Deno.CommandOptions): Promise<void> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, ...options })
    .output();
  const decoder = new TextDecoder();
  assertEquals(code, 0, decoder.decode(stdout) + decoder.decode(stderr));
}

Deno.test("gpu-check says what is wrong with its arguments", async () => {
  await assertRejects(() => main(["--device=onednn"]), TypeError, "expected cuda or emulated");
  await assertRejects(() => main(["--batch=none"]), TypeError, "--batch is");
});
