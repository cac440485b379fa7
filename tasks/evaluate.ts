/**
 * Tracks benchmarks, scores raw results, or packs them for a benchmark's server:
 * `deno task evaluate score --benchmark VOT2018 --annotations VOT2018.json --results results`.
 */
import { parseArgs } from "@std/cli/parse-args";
// Not from ../mod.ts, nor all of the evaluation: scoring needs little, and loading the rest takes as
// long as scoring.
import {
  type Benchmark,
  benchmarkNamed,
  BENCHMARKS,
  readBenchmark,
} from "../src/evaluation/benchmarks/mod.ts";
import { type ConventionName, CONVENTIONS } from "../src/evaluation/conventions.ts";
import { PROTOCOLS } from "../src/evaluation/protocols/mod.ts";
import type { BenchmarkScores } from "../src/evaluation/score.ts";
import { scoreBenchmark, type ScoredBenchmark } from "../src/evaluation/score_benchmark.ts";
import { toScoresJson } from "../src/evaluation/scores_json.ts";
import { isTruthHidden } from "../src/evaluation/sequence.ts";
import {
  attributeTable,
  formatTable,
  sequenceTable,
  someNames,
  trackerTable,
} from "../src/evaluation/tables.ts";
import { reportMissing } from "./report_missing.ts";
import { runTask } from "./run_task.ts";

const USAGE =
  `Usage: deno task evaluate score|submit|run|epochs --benchmark NAME --annotations PATH --results DIR
  --benchmark NAME     ${Object.keys(BENCHMARKS).join(", ")}
  --annotations PATH   the benchmark's folder, or a file of pysot-style annotations
  --results DIR        folder with a folder for each tracker, or a tracker's own
  --trackers A,B       only these
score:
  --convention NAME    ${Object.keys(CONVENTIONS).join(", ")}; that of the published figures
  --all-conventions    all that have rules for the benchmark, side by side
  --per-sequence       also a table by sequence
  --per-attribute      also a table by attribute or tag
  --lengths shortest   scores results of another length than the truth as far as both go
  --allow-missing      ends with status 0 although results are missing
  --plots DIR          draws curves, ranking and attributes as SVG and PNG
  --report FILE        writes a page of tables, plots and a replay of boxes
  --json               ends with one line of JSON
submit:
  --out DIR            folder of the archives, one a tracker; the results' folder
run, epochs: track, then score; options of score work too; what has results is not tracked again
  --config FILE        experiment of the tracker
  --weights FILE       checkpoint, .pth or .safetensors; for epochs the folder of checkpoints
  --epochs A-B         only these epochs
  --name NAME          the tracker's folder below DIR/<benchmark>; the weights' name
  --workers N          threads, each with a tracker; one a core
  --batch N            tracks N sequences at once in one thread, for a device that gains by it
  --set KEY=VALUE      changes a setting, such as tracking.penaltyK=0.1; may be repeated
  --device NAME        auto, cuda, onednn, reference or emulated`;

/** Runs the command. */
export async function main(args: string[]): Promise<void> {
  const options = parseArgs(args, {
    string: [
      "benchmark",
      "annotations",
      "results",
      "trackers",
      "convention",
      "lengths",
      "plots",
      "report",
      "out",
      "config",
      "weights",
      "epochs",
      "name",
      "workers",
      "batch",
      "set",
      "device",
    ],
    collect: ["set"],
    boolean: [
      "all-conventions",
      "per-sequence",
      "per-attribute",
      "allow-missing",
      "json",
      "help",
    ],
    unknown: (option: string, key?: string) =>
      key === undefined || fail(`unknown option ${option}`),
  });
  if (options.help) return console.log(USAGE);
  const [command, ...rest] = options._.map(String);
  const run = COMMANDS[command];
  if (!run || rest.length > 0) fail(`found "${options._.join(" ")}", expected a command`);
  await run(options);
}

type Options = Readonly<Record<string, unknown>>;

const COMMANDS: Readonly<Record<string, (options: Options) => Promise<void>>> = {
  score: async (options) => finish(await score(options), options),
  submit,
  run,
  epochs,
};

function required(options: Options, name: string): string {
  const value = options[name];
  return typeof value === "string" && value !== "" ? value : fail(`--${name} is missing`);
}

function fail(problem: string): never {
  throw new SyntaxError(`${problem}\n${USAGE}`);
}

function trackerNames({ trackers }: Options): string[] | undefined {
  return trackers ? String(trackers).split(",").map((name) => name.trim()) : undefined;
}

/** Prints scores; {@linkcode finish} ends with what a program reads. */
async function score(options: Options): Promise<ScoredBenchmark> {
  const lengths = options.lengths ?? "equal";
  if (lengths !== "equal" && lengths !== "shortest") {
    fail(`--lengths is "${lengths}", expected equal or shortest`);
  }
  const benchmark = benchmarkNamed(required(options, "benchmark"));
  const scored = await scoreBenchmark({
    benchmark: benchmark.name,
    annotations: required(options, "annotations"),
    results: required(options, "results"),
    trackers: trackerNames(options),
    conventions: chooseConventions(benchmark, options),
    lengths,
  });
  reportMissing(scored);
  const { scores } = scored;
  printScores(scores, options);
  if (options.plots) await (await loadDraw()).drawScores(scores, String(options.plots));
  if (options.report) await (await loadDraw()).writeReport(scored, String(options.report));
  return scored;
}

function finish({ scores, missing }: ScoredBenchmark, options: Options, more: object = {}): void {
  if (options.json) console.log(JSON.stringify({ ...toScoresJson(scores, missing), ...more }));
  if (scores.problems.length > 0 && !options["allow-missing"]) Deno.exitCode = 1;
}

async function run(options: Options): Promise<void> {
  const { run } = await loadRun();
  const request = runRequest(options);
  const summary = await run(request);
  const { benchmark, annotations, results } = request;
  if (summary.failed.length > 0) Deno.exitCode = 1;
  const { name } = benchmarkNamed(benchmark);
  const { sequences } = await readBenchmark(benchmarkNamed(benchmark), annotations);
  if (sequences.some(isTruthHidden)) {
    console.log(`The truth of ${name} is not public, pack the results with "evaluate submit"`);
    if (options.json) console.log(JSON.stringify({ benchmark: name, run: summary }));
    return;
  }
  const scored = await score({ ...options, results, trackers: summary.tracker });
  finish(scored, options, { run: summary });
}

async function epochs(options: Options): Promise<void> {
  const { runEpochs } = await loadRun();
  const request = runRequest(options);
  const epochs = options.epochs ? String(options.epochs) : undefined;
  const { summaries, epochOf } = await runEpochs({ ...request, epochs });
  if (summaries.some(({ failed }) => failed.length > 0)) Deno.exitCode = 1;
  const trackers = [...epochOf.keys()].join(",");
  const scored = await score({ ...options, results: request.results, trackers });
  const { scores } = scored;
  if (options.plots) await (await loadDraw()).drawEpochs(scores, epochOf, String(options.plots));
  const byEpoch = scores.scores.toSorted((a, b) =>
    epochOf.get(a.tracker)! - epochOf.get(b.tracker)!
  );
  const table = trackerTable({ ...scores, scores: byEpoch });
  console.log(`\n${formatTable({ ...table, title: `${table.title}, by epoch` })}`);
  // Figures over some of the sequences may be better only because the others are hard.
  const best = scores.scores.find(({ scored }) => scored === scores.expected);
  console.log(
    best
      ? `Best: epoch ${epochOf.get(best.tracker)} (${best.tracker})`
      : "Best: none of these epochs has results on all sequences",
  );
  finish(scored, options, { runs: summaries, epochs: Object.fromEntries(epochOf) });
}

function runRequest(options: Options) {
  const overrides = [...options.set as string[]];
  if (options.device) overrides.push(`training.device=${options.device}`);
  const count = (key: string, least: number) => {
    if (options[key] === undefined) return undefined;
    const value = Number(options[key]);
    if (Number.isInteger(value) && value >= least) return value;
    fail(`--${key} is "${options[key]}", expected a whole number of at least ${least}`);
  };
  return {
    benchmark: required(options, "benchmark"),
    annotations: required(options, "annotations"),
    config: required(options, "config"),
    weights: required(options, "weights"),
    results: String(options.results ?? "results"),
    overrides,
    workers: count("workers", 0),
    batch: count("batch", 1),
    name: options.name ? String(options.name) : undefined,
  };
}

function chooseConventions(benchmark: Benchmark, options: Options): ConventionName[] {
  const known = Object.values(CONVENTIONS)
    .filter((convention) => PROTOCOLS[benchmark.protocol].knows(convention))
    .map(({ name }) => name);
  if (options["all-conventions"]) return known;
  const name = options.convention ?? benchmark.convention;
  const chosen = known.find((convention) => convention === name);
  if (chosen) return [chosen];
  throw new RangeError(`Cannot score ${benchmark.name} by "${name}", expected ${known.join(", ")}`);
}

function printScores(scores: BenchmarkScores, options: Options): void {
  console.log(formatTable(trackerTable(scores)));
  if (options["per-attribute"]) console.log("\n" + formatTable(attributeTable(scores)));
  if (options["per-sequence"]) console.log("\n" + formatTable(sequenceTable(scores)));
  for (const { reason } of scores.problems) console.error(reason);
  for (const { tracker, names } of scores.extras) {
    console.error(`Not counted of ${tracker}, for no sequence here: ${someNames(names)}`);
  }
  const partial = new Set(scores.problems.map(({ tracker }) => tracker));
  if (partial.size > 0) {
    console.error(
      `Figures of ${[...partial].join(", ")} leave out ${scores.problems.length} results: ` +
        `they do not compare with those of whole sets`,
    );
  }
}

async function submit(options: Options): Promise<void> {
  const { submit } = await loadSubmit();
  const results = required(options, "results");
  await submit({
    benchmark: required(options, "benchmark"),
    annotations: required(options, "annotations"),
    results,
    trackers: trackerNames(options),
    out: String(options.out ?? results),
  });
}

function loadSubmit() {
  return load<typeof import("./evaluate/submit.ts")>("./evaluate/submit.ts");
}

function loadRun() {
  return load<typeof import("./evaluate/run.ts")>("./evaluate/run.ts");
}

function loadDraw() {
  return load<typeof import("./evaluate/draw.ts")>("./evaluate/draw.ts");
}

/** Loads a module that scoring does without. One that is named in place Deno would read at the start. */
function load<T>(path: string): Promise<T> {
  return import(new URL(path, import.meta.url).href);
}

if (import.meta.main) await runTask(main);
