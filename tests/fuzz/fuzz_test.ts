import { assert, assertEquals } from "@std/assert";
import { Rng } from "../../src/random.ts";
import { fuzz } from "./fuzz.ts";
import { mutate } from "./mutations.ts";
import { bytesOfText, type Target } from "./target.ts";
import { runCase } from "./engine.ts";
import { TARGETS } from "./targets/mod.ts";

const root = new URL("../../", import.meta.url).pathname;

Deno.test("mutate() depends on the generator alone, and changes nearly every file", () => {
  const corpus = [bytesOfText("1,2,3,4\n5,6,7,8\n"), bytesOfText("{}")];
  const texts = Array.from({ length: 200 }, (_, i) => [
    new TextDecoder().decode(mutate(new Rng(3, i), corpus, ["nan"])),
    new TextDecoder().decode(mutate(new Rng(3, i), corpus, ["nan"])),
  ]);
  assert(texts.every(([a, b]) => a === b));
  assert(new Set(texts.map(([text]) => text)).size > 150);
});

Deno.test("runCase() tells errors that are not declared, and objects that were changed", async () => {
  const target = (run: Target["run"]): Target => ({
    name: "none",
    corpus: () => [],
    run,
    allowedErrors: [SyntaxError],
  });
  const outcome = (run: Target["run"]) => runCase(target(run), new Uint8Array(), "");
  assertEquals(await outcome(() => {}), "parsed");
  const refuse = () => {
    throw new SyntaxError("refused");
  };
  assertEquals(await outcome(refuse), "refused");
  const crash = await outcome(() => void (undefined as unknown as number[]).length);
  assert(typeof crash === "object" && crash.fault.includes("TypeError"));
  const prototype = Object.prototype as Record<string, unknown>;
  const pollution = await outcome(() => void (prototype.polluted = 1));
  delete prototype.polluted;
  assertEquals(pollution, { fault: "it changes every object" });
});

Deno.test("every parser stands its corpus, every found case and some mutated ones", async (t) => {
  // In a process that may write to one folder and run nothing: what tries more fails.
  const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  const flags = tasks.fuzz.replaceAll("'", "").split(" ").filter((word: string) =>
    word.startsWith("--")
  );
  assert(flags.length > 0 && !flags.some((flag: string) => /run|net|-A|all$/.test(flag)));
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", ...flags, "tasks/fuzz.ts", "--short", "--runs", "120"],
      ...["--found", "build/fuzz/found"],
    ],
    cwd: root,
  }).output();
  const lines = new TextDecoder().decode(stdout);
  for (const { name } of TARGETS) {
    await t.step(name, () => {
      assert(new RegExp(`^${name}: .* 0 faults`, "m").test(lines), lines);
    });
  }
  assert(success, new TextDecoder().decode(stderr));
});

Deno.test("fuzz() runs every case once", async () => {
  const [target] = TARGETS.filter(({ name }) => name === "trax-region");
  const folder = `${root}build/fuzz/${crypto.randomUUID()}`;
  await Deno.mkdir(folder, { recursive: true });
  const report = await fuzz(target, { seed: 4, runs: 50, folder });
  await Deno.remove(folder);
  assertEquals(report.faults, []);
  assertEquals(report.parsed + report.refused, report.runs);
  assert(report.refused > 0 && report.parsed > 0);
});
