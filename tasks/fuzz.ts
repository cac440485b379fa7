/** Feeds damaged and malicious files to every parser of foreign data. */
import { parseArgs } from "@std/cli/parse-args";
import { FOUND, keepCase } from "../tests/fuzz/found_cases.ts";
import { fuzz } from "../tests/fuzz/fuzz.ts";
import type { Target } from "../tests/fuzz/target.ts";
import { TARGETS } from "../tests/fuzz/targets/mod.ts";
import { runTask } from "./run_task.ts";

const USAGE = `Usage: deno task fuzz [options]
  --target A,B   of ${TARGETS.map(({ name }) => name).join(", ")}; all
  --runs N       mutated files a parser; 10000
  --seed N       of the mutations; 1
  --short        fewer runs of the parsers that are slow
  --found DIR    where cases are kept that were not stood; tests/fixtures/fuzz`;

/** Runs the command; it ends with 1 if a parser does not stand a case. */
export async function main(args: string[]): Promise<void> {
  const options = parseArgs(args, {
    string: ["target", "runs", "seed", "found"],
    boolean: ["short", "help"],
    default: { runs: "10000", seed: "1" },
    unknown: (name: string) => {
      throw new TypeError(`Cannot take "${name}"\n${USAGE}`);
    },
  });
  if (options.help) return console.log(USAGE);
  const [runs, seed] = [whole("runs", options.runs), whole("seed", options.seed)];
  let faults = 0;
  for (const target of chosen(options.target)) {
    const share = options.short ? target.share ?? 1 : 1;
    faults += await fuzzTarget(target, {
      runs: Math.ceil(runs * share),
      seed,
      found: options.found ?? FOUND,
    });
  }
  if (faults > 0) Deno.exitCode = 1;
}

function chosen(names: string | undefined): readonly Target[] {
  return names?.split(",").map((name) => {
    const target = TARGETS.find((candidate) => candidate.name === name);
    if (!target) throw new TypeError(`Cannot fuzz "${name}"\n${USAGE}`);
    return target;
  }) ?? TARGETS;
}

function whole(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new TypeError(`Cannot take --${name} ${text}, expected a whole number`);
}

async function fuzzTarget(
  target: Target,
  { runs, seed, found }: { runs: number; seed: number; found: URL | string },
): Promise<number> {
  const folder = new URL(`../build/fuzz/${crypto.randomUUID()}`, import.meta.url).pathname;
  await Deno.mkdir(folder, { recursive: true });
  try {
    const report = await fuzz(target, { runs, seed, folder });
    const { parsed, refused, faults, seconds } = report;
    console.log(
      `${target.name}: ${report.runs} files, ${parsed} parsed, ${refused} refused, ` +
        `${faults.length} faults, ${seconds.toFixed(1)} s`,
    );
    for (const { bytes, fault } of faults) {
      console.log(`  ${fault}\n    kept as ${await keepCase(target.name, bytes, found)}`);
    }
    return faults.length;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) await runTask(main);
