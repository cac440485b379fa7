/** Builds the native libraries: `deno task build [--install]`. */
import { parseArgs } from "@std/cli/parse-args";
import { buildNative, type BuildStep } from "../mod.ts";
import { runTask } from "./run_task.ts";

const USAGE = `Usage: deno task build [options]
  --install  first installs what is missing through apt, as root or with a sudo that asks nobody
  --json     ends with one line of JSON`;

/** Runs the command. */
export async function main(args: string[]): Promise<void> {
  const { install, json, help } = parseArgs(args, {
    boolean: ["install", "json", "help"],
    unknown: (name: string) => {
      throw new TypeError(`Cannot take "${name}"\n${USAGE}`);
    },
  });
  if (help) return console.log(USAGE);
  const steps: BuildStep[] = [];
  for await (const step of buildNative({ install })) {
    console.log(`${step.name}: ${step.detail}`);
    steps.push(step);
  }
  if (json) console.log(JSON.stringify({ steps }));
}

if (import.meta.main) await runTask(main);
