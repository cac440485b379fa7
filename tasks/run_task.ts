import { knownFault } from "../src/training/write_error.ts";

/** Oldest Deno that the program is tested with. */
const OLDEST_DENO = "2.5.0";

/**
 * Runs a task's `main` as a program: an error is told in its own words and ends with status 1.
 *
 * @param main Takes the command line.
 */
export async function runTask(main: (args: string[]) => Promise<void>): Promise<void> {
  try {
    checkDeno(Deno.version.deno);
    await main(Deno.args);
  } catch (error) {
    console.error(wordsOf(error));
    if (Deno.env.get("SIAMBAN_TRACE")) console.error(error);
    else console.error("(SIAMBAN_TRACE=1 shows where)");
    Deno.exit(1);
  }
}

/** What an error says, with what helps where it comes from the system as it is. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const fault = knownFault(error);
  return fault ? `${error.message}: ${fault.reason}, ${fault.remedy}` : error.message;
}

/**
 * Checks the version of Deno.
 *
 * @throws {Error} If it is too old.
 */
export function checkDeno(version: string): void {
  const [major, minor] = version.split(".").map(Number);
  const [leastMajor, leastMinor] = OLDEST_DENO.split(".").map(Number);
  if (major > leastMajor || major === leastMajor && minor >= leastMinor) return;
  throw new Error(
    `Cannot run on Deno ${version}: expected ${OLDEST_DENO} or newer, run "npx -y deno@latest task …" ` +
      'or "deno upgrade"',
  );
}
