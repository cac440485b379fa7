/** Trains while everything goes wrong, and proves that the result is the undisturbed one's. */
import { parseArgs } from "@std/cli/parse-args";
import { fromFileUrl, resolve } from "@std/path";
import { canBound, NAMESPACE } from "./soak/bounded_folder.ts";
import { soak, type SoakReport } from "./soak/campaign.ts";
import { taskFlags } from "./soak/task_flags.ts";
import { runTask } from "./run_task.ts";

const USAGE = `Usage: deno task soak [options]
  --minutes N   how long faults are injected; 120
  --faults N    ends after so many of them; the undisturbed training then follows
  --only A,B    kinds of faults, as the output names them; all
  --ranks N     processes of each training, joined by mpirun; 1
  --seed N      of the training, and of kinds, order and moments of the faults; 1
  --dir DIR     where everything lies; build/soak
  --json        ends with one line of JSON

Two trainings of the quickstart recipe run, side by side: one in peace; one that is killed, stopped, whose
checkpoints and pictures are damaged, whose workers die and whose disk is filled, each time to be started again
with --resume auto. It ends with status 1 unless every fault was met as it should be and the weights, the
momentum and the windows of the losses' averages at the end of every epoch are the same bit for bit.`;

/** Said by a soak to itself, which it starts again within disks of its own. */
const INSIDE = "--inside";

/** Runs the command. */
export async function main(args: string[]): Promise<void> {
  const options = parseArgs(args.filter((arg) => arg !== INSIDE), {
    string: ["minutes", "faults", "only", "ranks", "seed", "dir"],
    boolean: ["json", "help"],
    default: { minutes: "120", ranks: "1", seed: "1", dir: "build/soak" },
    unknown: (name: string) => fail(`unknown option ${name}`),
  });
  if (options.help) return console.log(USAGE);
  const bounded = args.includes(INSIDE);
  if (!bounded && await canBound()) return await enterNamespace(args);
  if (!bounded) console.log("No small disk can be had here: file sizes are limited instead");
  const folder = resolve(options.dir, crypto.randomUUID().slice(0, 8));
  await Deno.mkdir(folder, { recursive: true });
  try {
    const events = soak({
      minutes: number("minutes", options.minutes),
      ...options.faults === undefined ? {} : { faults: number("faults", options.faults) },
      ...options.only === undefined ? {} : { only: options.only.split(",") },
      seed: number("seed", options.seed),
      ranks: Math.max(1, number("ranks", options.ranks)),
      folder,
      bounded,
    });
    const report = await show(events);
    console.log(formatReport(report));
    if (options.json) console.log(JSON.stringify(report));
    if (!isGood(report)) Deno.exitCode = 1;
  } finally {
    // A disk of its own is gone with its namespace, and its folder is busy until then.
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}

/** Starts this program again, in a namespace where it may have disks of its own. */
async function enterNamespace(args: readonly string[]): Promise<void> {
  const { code } = await new Deno.Command("unshare", {
    args: [
      ...NAMESPACE,
      ...["deno", "run", "--no-check", ...taskFlags("soak")],
      ...[fromFileUrl(import.meta.url), ...args, INSIDE],
    ],
  }).spawn().status;
  Deno.exitCode = code;
}

async function show(events: ReturnType<typeof soak>): Promise<SoakReport> {
  while (true) {
    const { value, done } = await events.next();
    if (done) return value;
    const { fault, seconds, failure } = value;
    console.log(`${seconds.toFixed(0).padStart(5)} s  ${fault}${failure ? `: ${failure}` : ""}`);
  }
}

function isGood({ bitsEqual, failures }: SoakReport): boolean {
  return bitsEqual && failures.length === 0;
}

function formatReport(report: SoakReport): string {
  const { injected, survived, failures, epochs, steps, memory } = report;
  const kinds = Object.entries(injected).map(([name, count]) => `${name} ${count}`).join(", ");
  const count = Object.values(injected).reduce((sum, each) => sum + each, 0);
  return [
    "",
    `Soak of ${(report.seconds / 60).toFixed(1)} min, seed ${report.seed}`,
    `  faults      ${count} injected, ${survived} survived (${kinds})`,
    ...failures.map((failure) => `  failed      ${failure}`),
    `  steps       ${steps.disturbed} disturbed, ${steps.undisturbed} undisturbed`,
    `  bits        equal at the ends of ${epochs.equal} of ${epochs.compared} epochs, the last ` +
    `epoch ${epochs.last}`,
    `  memory      ${memory.mebibytes.toFixed(0)} MiB, slope ${memory.slope.toFixed(2)} MiB a ` +
    "thousand steps over the later half",
    isGood(report) ? "  result      the same" : "  result      NOT the same",
  ].join("\n");
}

function number(name: string, text: string): number {
  const value = Number(text);
  if (text !== "" && value >= 0 && Number.isFinite(value)) return value;
  return fail(`--${name} is "${text}", expected a number from 0 on`);
}

function fail(reason: string): never {
  throw new TypeError(`Cannot soak: ${reason}\n${USAGE}`);
}

if (import.meta.main) await runTask(main);
