import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { contentOf, temporaryFolder } from "../data/demo.ts";
import { Rng } from "../../src/random.ts";

/** Kills a form of the test suffers; `SIAMBAN_KILLS=50` for the long form. */
const KILLS = Number(Deno.env.get("SIAMBAN_KILLS") ?? 2);
const task = new URL("../../tasks/prep_data.ts", import.meta.url).pathname;
const SOURCE = ["--source", "synthetic", "--videos", "2", "--frames", "20", "--workers", "2"];

function start(...args: string[]): Deno.ChildProcess {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", task, ...SOURCE, ...args],
    stdout: "null",
    stderr: "piped",
  });
  return command.spawn();
}

/** Runs to the end, or to a kill after so many milliseconds; false if it was killed. */
async function runFor(milliseconds: number, args: string[]): Promise<boolean> {
  const child = start(...args);
  const timer = setTimeout(() => child.kill("SIGKILL"), milliseconds);
  const { success, signal, stderr } = await child.output();
  clearTimeout(timer);
  assert(success || signal === "SIGKILL", new TextDecoder().decode(stderr));
  return success;
}

for (const [form, options] of [["files", ["--template-crops"]], ["shards", ["--pack"]]] as const) {
  Deno.test(`prep-data ends with the same bytes after ${KILLS} kills, as ${form}`, async () => {
    await using whole = await temporaryFolder();
    const begin = performance.now();
    assert(await runFor(1e6, ["--out", whole.path, ...options]));
    const usual = performance.now() - begin;
    const expected = await contentOf(whole.path);
    const rng = new Rng(Date.now());
    for (let kills = 0; kills < KILLS;) {
      await using stopped = await temporaryFolder();
      const args = ["--out", join(stopped.path, "set"), ...options];
      // From before the first crop to after the last.
      while (kills < KILLS && !await runFor(usual * (0.1 + 0.9 * rng.uniform()), args)) kills++;
      await runFor(1e6, args);
      assertEquals(await contentOf(join(stopped.path, "set")), expected);
    }
  });
}
