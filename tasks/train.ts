/**
 * Trains a tracker: `deno task train` for the built-in demonstration, or
 * `deno task train --config configs/siamban_r50_l234.ts`.
 */
import { parseArgs } from "@std/cli/parse-args";
import {
  buildNative,
  loadExperiment,
  ProgressView,
  type RunEvent,
  runExperiment,
  type Summary,
  useBackend,
} from "../mod.ts";
import { runTask } from "./run_task.ts";

const USAGE = `Usage: deno task train [--config FILE] [options]
  --config FILE     experiment: .ts, .json, or YAML as siamban, pysot and NanoTrack have it;
                    configs/quickstart.ts
  --set KEY=VALUE   changes a setting, such as training.batchSize=8; may be repeated
  --device NAME     auto, onednn or reference
  --threads N       CPU threads of the native kernels; all cores
  --seed N          start of every random stream
  --resume FILE     checkpoint to go on from, or auto for the newest in training.snapshotDir
  --json            ends with one line of JSON`;

/** Runs the command. */
export async function main(args: string[]): Promise<void> {
  const options = parseArgs(args, {
    string: ["config", "cfg", "set", "device", "threads", "seed", "resume"],
    boolean: ["json", "help"],
    collect: ["set"],
    unknown: (option: string, key?: string) =>
      key === undefined || fail(`unknown option ${option}`),
  });
  if (options.help) return console.log(USAGE);
  const file = options.config ?? options.cfg ?? options._[0] ?? "configs/quickstart.ts";
  const shortcuts = (["device", "threads", "seed", "resume"] as const)
    .flatMap((key) => options[key] === undefined ? [] : [`training.${key}=${options[key]}`]);
  const { config, ignored } = await loadExperiment(String(file), {
    overrides: [...options.set as string[], ...shortcuts],
  });
  for (const reason of ignored) console.log(`Ignored: ${reason}`);
  const { device, threads } = config.training;
  if (device !== "reference") await prepareNative();
  await using backend = await useBackend(device, { threads });
  console.log(`Backend: ${backend.name}${backend.note ? ` (slow). ${backend.note}` : ""}`);
  const summary = await show(runExperiment(config), config.training.printFreq);
  console.log(formatSummary(summary));
  if (options.json) console.log(JSON.stringify({ ...summary, backend: backend.name }));
}

/** Installs and builds what the fast backend needs; where that fails, the slow one does the work. */
async function prepareNative(): Promise<void> {
  try {
    for await (const { name, detail } of buildNative({ install: true })) {
      console.log(`${name}: ${detail}`);
    }
  } catch (error) {
    console.log((error as Error).message);
  }
}

async function show(events: AsyncIterable<RunEvent>, printEvery: number): Promise<Summary> {
  const terminal = Deno.stdout.isTerminal();
  const view = new ProgressView({
    printEvery,
    ...(terminal ? { columns: () => Deno.consoleSize().columns } : {}),
  });
  let summary: Summary | undefined;
  try {
    for await (const event of events) {
      write(textOf(event, view));
      if (event.kind === "done") summary = event.summary;
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
    case "prepare": {
      const { set, report: { kind, plan, counts, elapsedSeconds } } = event;
      return kind === "done"
        ? view.message(
          `prepared ${set}: ${plan.boxes} boxes of ${plan.tracks} tracks in ${
            elapsedSeconds.toFixed(1)
          } s, ` +
            `${counts.quarantined} in quarantine`,
        )
        : "";
    }
    default:
      return "";
  }
}

function formatSummary(summary: Summary): string {
  const { losses, firstLoss, ao, pictures, checkpoint, log } = summary;
  const rows: readonly (readonly [string, string | undefined])[] = [
    [
      "experiment",
      `${summary.experiment}, ${summary.steps} steps, ${summary.seconds.toFixed(0)} s`,
    ],
    [
      "losses",
      `total ${firstLoss.toFixed(3)} -> ${losses.total.toFixed(3)} ` +
      `(cls ${losses.cls.toFixed(3)}, loc ${losses.loc.toFixed(3)})`,
    ],
    [
      "AO",
      ao && `${ao.before.toFixed(3)} before, ${ao.after.toFixed(3)} after, on held-out sequences`,
    ],
    [
      "speed",
      `${summary.pairsPerSecond.toFixed(1)} pairs/s, ` +
      `${(100 * summary.dataWaitShare).toFixed(1)} % of the time waiting for data`,
    ],
    ["checkpoint", checkpoint],
    ["log", log],
    ["pictures", pictures && `${pictures.gif}, ${pictures.png} (green: true box, red: predicted)`],
  ];
  const lines = rows.filter(([, text]) => text).map(([name, text]) =>
    `  ${name.padEnd(11)} ${text}`
  );
  return ["", "Done", ...lines].join("\n");
}

function write(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
}

function fail(reason: string): never {
  throw new TypeError(`Cannot train: ${reason}\n${USAGE}`);
}

if (import.meta.main) await runTask(main);
