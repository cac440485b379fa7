import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { BACKENDS } from "../../support/backends.ts";

const available = BACKENDS.some(({ name, available }) => name === "onednn" && available);
const backends = new URL("../../../src/backends/mod.ts", import.meta.url).href;
const configuration = new URL("../../../deno.json", import.meta.url).pathname;

/** Starts the backend that `auto` chooses in a process of its own; gives its name and note. */
async function chosenBackend(
  env: Record<string, string>,
): Promise<{ name: string; note?: string }> {
  const script = `
    const { useBackend } = await import(${JSON.stringify(backends)});
    const { name, note } = await useBackend("auto");
    console.log(JSON.stringify({ name, note }));`;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--config", configuration, script],
    env,
    stdout: "piped",
    stderr: "piped",
  });
  const { stdout, stderr } = await command.output();
  const text = new TextDecoder().decode(stdout);
  return JSON.parse(text || JSON.stringify({ name: new TextDecoder().decode(stderr) }));
}

Deno.test("useBackend() falls back on reference with SIAMBAN_NATIVE=off, and says so", async () => {
  const { name, note } = await chosenBackend({ SIAMBAN_NATIVE: "off" });
  assertEquals(name, "reference");
  assertStringIncludes(note ?? "", "SIAMBAN_NATIVE");
});

Deno.test("useBackend() names the packages to install where there is no compiler", async () => {
  const { name, note } = await chosenBackend({ CXX: "no-such-compiler" });
  assertEquals(name, "reference");
  assertMatch(note ?? "", /no-such-compiler: install it with: apt-get install g\+\+ libdnnl-dev/);
});

Deno.test({
  name: "nativeLibrary() compiles in several processes at once",
  ignore: !available,
  async fn() {
    // A compiler of another name makes another library; the file is removed again below.
    const folder = await Deno.makeTempDir();
    const CXX = `${folder}/compiler`;
    await Deno.writeTextFile(CXX, '#!/bin/sh\nexec g++ "$@" -O0\n', { mode: 0o755 });
    const before = await libraries();
    try {
      const chosen = await Promise.all([chosenBackend({ CXX }), chosenBackend({ CXX })]);
      assertEquals(chosen.map(({ name }) => name), ["onednn", "onednn"]);
    } finally {
      const made = (await libraries()).filter((path) => !before.includes(path));
      assertEquals(made.length, 1);
      for (const path of made) await Deno.remove(path);
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** What lies in the folder of native libraries, half-made ones included. */
async function libraries(): Promise<string[]> {
  const folder = new URL("../../../build/native/", import.meta.url).pathname;
  const paths: string[] = [];
  for await (const { name } of Deno.readDir(folder)) paths.push(folder + name);
  return paths;
}
