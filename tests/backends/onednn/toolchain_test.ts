import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

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
  const SIAMBAN_BUILD = await Deno.makeTempDir();
  const env = { SIAMBAN_NATIVE: "on", SIAMBAN_BUILD, CXX: "no-such-compiler" };
  const { name, note } = await chosenBackend(env);
  assertEquals(name, "reference");
  assertMatch(note ?? "", /no-such-compiler: install it with: apt-get install g\+\+ libdnnl-dev/);
  await Deno.remove(SIAMBAN_BUILD); // empty: nothing half-made is left
});

Deno.test("useBackend() says where to build when the folder cannot be written", async () => {
  const SIAMBAN_BUILD = await Deno.makeTempFile();
  const { name, note } = await chosenBackend({ SIAMBAN_NATIVE: "on", SIAMBAN_BUILD });
  assertEquals(name, "reference");
  assertStringIncludes(note ?? "", `Cannot write to ${SIAMBAN_BUILD}`);
  assertStringIncludes(note ?? "", "set SIAMBAN_BUILD");
  await Deno.remove(SIAMBAN_BUILD);
});
