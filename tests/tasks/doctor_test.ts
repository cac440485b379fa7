import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const ROOT = new URL("../../", import.meta.url).pathname;

async function doctor(args: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "tasks/doctor.ts", "--device", "reference", ...args],
    cwd: ROOT,
    env,
    stderr: "null",
  }).output();
  return { code, text: new TextDecoder().decode(stdout) };
}

Deno.test("doctor tells machine, tools, GPU and a self test, and ends well", async () => {
  const { code, text } = await doctor([]);
  assertEquals(code, 0);
  for (const word of ["processor", "compiler", "oneDNN", "ffmpeg", "card"]) {
    assertStringIncludes(text, word);
  }
  assertStringIncludes(text, "passed on reference");
});

Deno.test("doctor --json lists every place where a missing library was looked for", async () => {
  const { text } = await doctor(["--json"], { SIAMBAN_CUDA_PATH: "/nowhere", CXX: "no-compiler" });
  const { gpu, tools, selfTest } = JSON.parse(text);
  const missing = gpu.filter(({ searched }: { searched?: string[] }) => searched);
  for (const { searched, remedy } of missing) {
    assertEquals(searched[0], "/nowhere");
    assertStringIncludes(remedy, "SIAMBAN_CUDA_PATH");
  }
  assert(gpu.length >= 7);
  const compiler = tools.find(({ name }: { name: string }) => name === "compiler");
  assertEquals(compiler, {
    name: "compiler",
    detail: "no-compiler is missing",
    remedy: "apt install g++",
  });
  assert(selfTest.passed && Object.values(selfTest.differences).every((value) => value === 0));
});
