/**
 * Compares the program with a folder of golden numbers: `deno task parity DIR [--device NAME]
 * [--precision NAME] [--only ops,lr] [--media DIR] [--slow] [--json]`. Ends with status 1 if a check fails.
 */
import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path";
import { type BackendName, type BackendOptions, useBackend } from "../src/backends/mod.ts";
import {
  type Check,
  checkFolder,
  isCheck,
  paritySections,
  type SectionFinding,
} from "../src/parity/mod.ts";
import { runTask } from "./run_task.ts";

const USAGE = `Usage: deno task parity DIR [options]
  --device NAME     auto, cuda, onednn, reference or emulated
  --precision NAME  how convolutions compute: float32, tf32 (a GPU, or a CPU with matrix tiles), bf16
  --only A,B        sections: ${paritySections().join(", ")}
  --media DIR       where the videos lie that a golden file names; ../realdata beside DIR
  --slow            compares, too, what takes the reference backend long
  --json            ends with one line of JSON`;

/** Runs the command; prints each check as it comes. */
export async function main(args: string[]): Promise<void> {
  const { _: [root, ...rest], ...options } = parseArgs(args, {
    string: ["_", "device", "precision", "only", "media"],
    boolean: ["json", "slow", "help"],
    default: { device: "auto", precision: "float32" },
    unknown: (argument: string, key?: string) =>
      key === undefined || fail(`unknown argument "${argument}"`),
  });
  if (options.help) return console.log(USAGE);
  if (!root || rest.length > 0) fail("one folder is needed");
  const only: string[] | undefined = options.only?.split(",").filter(Boolean);
  const unknown = only?.find((section) => !paritySections().includes(section));
  if (unknown) fail(`no section is "${unknown}", expected some of ${paritySections().join(", ")}`);

  await using backend = await useBackend(options.device as BackendName, {
    precision: options.precision as BackendOptions["precision"],
  });
  if (backend.note) console.log(`Using ${backend.name}: ${backend.note}`);
  const media = [join(root, "../realdata"), ...options.media ? [options.media] : []];
  const tally = new Tally();
  const findings = checkFolder(root, { backend: backend.name, slow: options.slow, media, only });
  for await (const finding of findings) {
    tally.add(finding);
    console.log(lineOf(finding));
  }
  console.log(tally.summary());
  if (options.json) console.log(JSON.stringify({ root, device: backend.name, ...tally.figures }));
  const { passed, failed } = tally.figures;
  if (passed + failed === 0) throw new Error(`Nothing in ${root} can be compared`);
  if (failed > 0) Deno.exitCode = 1;
}

function lineOf(finding: SectionFinding): string {
  const head = `${finding.section.padEnd(11)} ${finding.name.padEnd(46)}`;
  if (!isCheck(finding)) return `not checked ${head} ${finding.reason}`;
  const { error, tolerance, undecided, detail = "" } = finding;
  const figures = `${short(error).padStart(8)} of ${short(tolerance).padEnd(8)}`;
  const outcome = outcomeOf(finding);
  const text = firstLine(undecided ? `${undecided}; ${detail}` : detail);
  return `${(outcome === "failed" ? "FAILED" : outcome).padEnd(11)} ${head} ${figures} ${text}`;
}

function outcomeOf({ passed, undecided }: Check): "ok" | "undecided" | "failed" {
  return passed ? "ok" : undecided ? "undecided" : "failed";
}

function short(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  return Number.isFinite(value) ? value.toExponential(1) : String(value);
}

function firstLine(text: string): string {
  const [line] = text.split("\n", 1);
  return line.length > 160 ? `${line.slice(0, 157)}…` : line;
}

/** Counts of a section, or of all. */
interface Counts {
  readonly passed: number;
  /** Checks that rounding decides; see `src/parity/neighbours.ts`. */
  readonly undecided: number;
  readonly failed: number;
  readonly notChecked: number;
}

/** Counts findings. */
class Tally {
  readonly #sections = new Map<string, Counts & { readonly seconds: number }>();
  readonly #failures: SectionFinding[] = [];
  #last = performance.now();

  add(finding: SectionFinding): void {
    const { section } = finding;
    const before = this.#sections.get(section) ??
      { passed: 0, undecided: 0, failed: 0, notChecked: 0, seconds: 0 };
    const now = performance.now();
    const outcome = isCheck(finding) ? outcomeOf(finding) : "notChecked";
    const kind = outcome === "ok" ? "passed" : outcome;
    this.#sections.set(section, {
      ...before,
      [kind]: before[kind] + 1,
      seconds: before.seconds + (now - this.#last) / 1000,
    });
    if (kind === "failed") this.#failures.push(finding);
    this.#last = now;
  }

  get figures() {
    const sections = [...this.#sections.values()];
    const sum = (kind: keyof Counts) => sections.reduce((all, counts) => all + counts[kind], 0);
    return {
      passed: sum("passed"),
      undecided: sum("undecided"),
      failed: sum("failed"),
      notChecked: sum("notChecked"),
      sections: Object.fromEntries(this.#sections),
      failures: this.#failures,
    };
  }

  summary(): string {
    const { passed, undecided, failed, notChecked, sections } = this.figures;
    const row = (name: string, counts: Counts, time = "") =>
      `${name.padEnd(11)} ${String(counts.passed).padStart(6)} ok ` +
      `${String(counts.undecided).padStart(6)} undecided ` +
      `${String(counts.failed).padStart(6)} failed ` +
      `${String(counts.notChecked).padStart(6)} not checked${time}`;
    const rows = Object.entries(sections).map(([name, counts]) =>
      row(name, counts, `${counts.seconds.toFixed(1).padStart(8)} s`)
    );
    return ["", ...rows, row("all", { passed, undecided, failed, notChecked })].join("\n");
  }
}

function fail(reason: string): never {
  throw new TypeError(`Cannot compare: ${reason}\n${USAGE}`);
}

if (import.meta.main) await runTask(main);
