/**
 * Prepares training data: `deno task prep-data --source DIR --out DIR`, looks at raw data
 * (`… inspect DIR`) and at prepared data (`… verify DIR`).
 */
import { main as inspect } from "./prep_data/inspect.ts";
import { main as prepare } from "./prep_data/prepare.ts";
import { main as verify } from "./prep_data/verify.ts";
import { runTask } from "./run_task.ts";

/** Runs the command. */
export async function main(args: string[]): Promise<void> {
  const [command, ...rest] = args;
  if (command === "inspect") await inspect(rest);
  else if (command === "verify") await verify(rest);
  else await prepare(args);
}

if (import.meta.main) await runTask(main);
