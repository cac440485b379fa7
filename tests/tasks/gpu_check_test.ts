import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import type { Section } from "../../tasks/gpu_check/section.ts";
import { main } from "../../tasks/gpu_check.ts";
import { BACKENDS } from "../support/backends.ts";

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

Deno.test("gpu-check says what is wrong with its arguments", async () => {
  await assertRejects(() => main(["--device=onednn"]), TypeError, "expected cuda or emulated");
  await assertRejects(() => main(["--batch=none"]), TypeError, "--batch is");
});
