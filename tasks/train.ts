/**
 * Trains a tracker: `deno task train` for the built-in demonstration, or
 * `deno task train --config configs/siamban_r50_l234.ts`.
 */
import { parseArgs } from "@std/cli/parse-args";
import { fromFileUrl } from "@std/path";
import {
  type BackendName,
  buildNative,
  type Collective,
  type ExperimentConfig,
  joinProcesses,
  loadExperiment,
  meet,
  ProgressView,
  type RunEvent,
  runExperiment,
  type Summary,
  useBackend,
} from "../mod.ts";
import { replay } from "./replay.ts";
import { runTask } from "./run_task.ts";
import { StallWatch } from "./stall_watch.ts";
import {
  formatLoading,
  formatPrepared,
  formatPreparing,
  formatSummary,
} from "./train/format_summary.ts";

/** Status of a training that was asked to stop, has saved and can go on (EX_TEMPFAIL of sysexits.h). */
const STOPPED = 75;

const USAGE = `Usage: deno task train [--config FILE] [options]
       deno task train replay FILE     takes a step again that was skipped, and says what went wrong
  --config FILE     experiment: .ts, .json, or YAML as siamban, pysot and NanoTrack have it;
                    configs/quickstart.ts
  --set KEY=VALUE   changes a setting, such as training.batchSize=8; may be repeated
  --device NAME     auto, cuda, onednn, reference or emulated
  --precision NAME  float32, tf32 (a GPU, or a CPU with matrix tiles) or bf16 (a GPU)
  --deterministic   has a GPU give the same bits at each run
  --no-graph        has a GPU take each step launch by launch
  --device-debug    has a GPU wait after each launch, so that a fault names the op and its shapes
  --threads N       CPU threads of the native kernels; all cores
  --seed N          start of every random stream
  --stop-after TIME saves and leaves after a time such as 90s, 30m or 3h
  --resume FILE     checkpoint to go on from, or auto for the newest in training.snapshotDir
  --profile-data    tells at the end where the time of loading went
  --json            ends with one line of JSON

SIGINT, SIGTERM, SIGUSR1 and --stop-after finish the step, save and end with status ${STOPPED};
--resume auto goes on from there. On several processes: mpirun -n 4 npx -y deno task train …`;

/** What is trained when nothing is said. */
const DEMONSTRATION = fromFileUrl(new URL("../configs/quickstart.ts", import.meta.url));

/** While data is being prepared. */
const SECONDS_BETWEEN_LINES = 5;

/** Options that stand for settings of the training. */
const SHORTCUTS = ["device", "precision", "threads", "seed", "resume"] as const;

/** Runs the command. */
export async function main(args: string[]): Promise<void> {
  const options = parseArgs(args, {
    string: [
      "config",
      "cfg",
      "set",
      "device",
      "precision",
      "threads",
      "seed",
      "resume",
      "stop-after",
    ],
    boolean: ["json", "help", "profile-data", "graph", "deterministic", "device-debug"],
    negatable: ["graph"],
    default: { graph: true },
    collect: ["set"],
    unknown: (option: string, key?: string) =>
      key === undefined || fail(`unknown option ${option}`),
  });
  if (options.help) return console.log(USAGE);
  if (options._[0] === "replay") {
    if (options._.length !== 2) fail("replay takes one file of the folder incidents beside a log");
    await using _ = await useBackend((options.device ?? "auto") as BackendName);
    return await replay(String(options._[1]), { json: options.json });
  }
  const [file = DEMONSTRATION, ...others] = [options.config, options.cfg, ...options._]
    .filter((path) => path !== undefined);
  if (others.length > 0) fail(`one experiment is enough, but ${others.join(", ")} is named too`);
  const shortcuts = SHORTCUTS.flatMap((key) => {
    const value = options[key];
    if (value === "") fail(`--${key} is without a value`);
    return value === undefined ? [] : [`training.${key}=${value}`];
  });
  const switches = [
    ...options.graph ? [] : ["training.graph=false"],
    ...options.deterministic ? ["training.deterministic=true"] : [],
    ...options["device-debug"] ? ["training.deviceDebug=true"] : [],
  ];
  const { config, ignored } = await loadExperiment(String(file), {
    overrides: [...options.set as string[], ...shortcuts, ...switches],
  });
  const shouldStop = stopRequests(options["stop-after"]);
  const collective = joinProcesses();
  try {
    const stopped = await train(config, {
      collective,
      shouldStop,
      ignored,
      json: options.json,
      profileData: options["profile-data"],
    });
    collective[Symbol.dispose]();
    if (stopped) Deno.exitCode = STOPPED;
  } catch (error) {
    if (collective.size === 1) throw error;
    const { rank, size } = collective;
    const reason = error instanceof Error ? error.message : error;
    throw new Error(`Rank ${rank} of ${size} on ${Deno.hostname()} ends the job: ${reason}`, {
      cause: error,
    });
  }
}

/** @returns Whether the training was asked to stop. */
async function train(
  config: ExperimentConfig,
  { collective, shouldStop, ignored, json, profileData }: {
    readonly collective: Collective;
    readonly shouldStop: () => boolean;
    readonly ignored: readonly string[];
    readonly json: boolean;
    readonly profileData: boolean;
  },
): Promise<boolean> {
  const leads = collective.rank === 0;
  const say = leads ? console.log : () => {};
  for (const reason of ignored) say(`Ignored: ${reason}`);
  const { device } = config.training;
  // Ranks of one machine share its cores.
  const threads = config.training.threads ||
    Math.max(1, Math.floor(navigator.hardwareConcurrency / collective.localSize));
  const native = device === "auto" || device === "onednn";
  const builds = native && collective.localRank === 0;
  const problem = builds ? await prepareNative(say) : undefined;
  meet(collective);
  await using backend = await useBackend(device, {
    ...config.training,
    threads,
    localRank: collective.localRank,
  });
  if (problem !== undefined && problem !== backend.note) say(problem);
  say(`Backend: ${backend.name}${backend.note ? ` (slow). ${backend.note}` : ""}`);
  if (collective.size > 1) {
    const route = backend.cuda?.communicators.route(collective);
    if (route?.kind === "host") say(`Gradients pass through the host (slow). ${route.reason}`);
  }
  using watch = new StallWatch(`rank ${collective.rank} of ${collective.size}`);
  const events = watched(runExperiment(config, { collective, shouldStop }), watch);
  const summary = await (leads ? show(events, config.training.printFreq) : drain(events));
  say(formatSummary(summary));
  if (profileData && summary.loading) say(formatLoading(summary.loading));
  if (json) say(JSON.stringify({ ...summary, backend: backend.name }));
  return summary.stopped ?? false;
}

/**
 * Listens for requests to stop: a signal (SIGUSR1 is what mpirun hands on, and clusters send before a time limit), or the
 * end of the time given. A second signal ends the program at once.
 *
 * @param limit A time such as `3h`; none without it.
 */
function stopRequests(limit: string | undefined): () => boolean {
  const end = limit === undefined ? Infinity : performance.now() + 1000 * parseSeconds(limit);
  let asked = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGUSR1"] as const) {
    const listener = () => {
      asked = true;
      Deno.removeSignalListener(signal, listener);
    };
    Deno.addSignalListener(signal, listener);
  }
  return () => asked || performance.now() >= end;
}

function parseSeconds(time: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(s|m|h|d)$/.exec(time) ??
    fail(`--stop-after is "${time}", expected a time such as 90s, 30m or 3h`);
  return Number(number) * { s: 1, m: 60, h: 3600, d: 86400 }[unit as "s"];
}

/** Has the steps among events watched. */
async function* watched(
  events: AsyncIterable<RunEvent>,
  watch: StallWatch,
): AsyncGenerator<RunEvent> {
  for await (const event of events) {
    if (event.kind === "step") watch.step(event.step.report.batchTime);
    yield event;
  }
}

/** Follows a run that another rank tells of. */
async function drain(events: AsyncIterable<RunEvent>): Promise<Summary> {
  let summary: Summary | undefined;
  for await (const event of events) if (event.kind === "done") summary = event.summary;
  return summary!;
}

/**
 * Installs and builds what the fast backend needs.
 *
 * @returns Why that failed; then the slow one does the work.
 */
async function prepareNative(say: (text: string) => void): Promise<string | undefined> {
  try {
    for await (const { name, detail } of buildNative({ install: true })) {
      say(`${name}: ${detail}`);
    }
  } catch (error) {
    return (error as Error).message;
  }
}

async function show(events: AsyncIterable<RunEvent>, printEvery: number): Promise<Summary> {
  const terminal = Deno.stdout.isTerminal();
  const view = new ProgressView({
    printEvery,
    ...(terminal ? { columns: () => Deno.consoleSize().columns } : {}),
  });
  let summary: Summary | undefined;
  let told = 0;
  try {
    for await (const event of events) {
      if (event.kind === "done") summary = event.summary;
      else if (event.kind === "prepare" && event.report.kind !== "done") {
        const { elapsedSeconds } = event.report;
        if (elapsedSeconds - told < SECONDS_BETWEEN_LINES) continue;
        told = elapsedSeconds;
        write(view.message(formatPreparing(event)));
      } else write(textOf(event, view));
    }
  } finally {
    write(view.end());
  }
  return summary!;
}

function textOf(event: RunEvent, view: ProgressView): string {
  switch (event.kind) {
    case "step":
      return view.step(event.step);
    case "message":
      return view.message(event.text);
    case "checkpoint":
      return view.message(`saved ${event.path}`);
    case "prepare":
      return view.message(formatPrepared(event));
    default:
      return "";
  }
}

function write(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
}

function fail(reason: string): never {
  throw new TypeError(`Cannot train: ${reason}\n${USAGE}`);
}

if (import.meta.main) await runTask(main);
