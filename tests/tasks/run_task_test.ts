import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { checkDeno, wordsOf } from "../../tasks/run_task.ts";

Deno.test("checkDeno() refuses a Deno that is too old, and says how to get another", () => {
  checkDeno("2.5.0");
  checkDeno("2.10.1");
  checkDeno("3.0.0");
  for (const version of ["1.46.3", "2.4.9"]) {
    assertThrows(
      () => checkDeno(version),
      Error,
      `Cannot run on Deno ${version}: expected 2.5.0 or newer, run "npx -y deno@latest`,
    );
  }
});

Deno.test("wordsOf() adds what helps to an error of the system", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const error = await Deno.writeTextFile(folder, "").catch((error) => error);
    assertMatch(wordsOf(error), /a folder stands where the file should, move it or choose another/);
  } finally {
    await Deno.remove(folder);
  }
});

Deno.test("wordsOf() leaves an error alone that says what helps itself", () => {
  assertEquals(wordsOf(new RangeError("Cannot do it, do that")), "Cannot do it, do that");
  assertEquals(wordsOf("stopped"), "stopped");
});
