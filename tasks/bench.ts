/**
 * Times training, loading and tracking, and PyTorch and ONNX Runtime beside them where they are:
 * `deno task bench`.
 */
import { parseArgs } from "@std/cli/parse-args";
import { type BackendHandle, useBackend } from "../mod.ts";
import type { Growth } from "./bench/growth.ts";
import { formatGrowth, writeGrowths } from "./bench/growth_report.ts";
import { NETWORKS, type Subject } from "./bench/networks.ts";
import { type BenchSettings, PARTS, REGIMES } from "./bench/parts.ts";
import { peakMemory } from "./bench/peak_memory.ts";
import { formatProfile, profileStep, type StepProfile } from "./bench/profile.ts";
import { type BenchMachine, formatBytes, formatRow, type Row, writeRows } from "./bench/rows.ts";
import { TorchPeer } from "./bench/torch_peer.ts";
import { type Regime, StepBench } from "./bench/training_step.ts";
import { processorName } from "./doctor/machine.ts";
import { runTask } from "./run_task.ts";

const USAGE = `Usage: deno task bench [options]
  --only PART    steps, xcorr, loader, crops, tracking, scoring or growth (how step, memory and scoring
                 grow with batch, image, backbone and sequences), several joined by commas; all of
                 them. Or index, which opens a set of 10 million made-up boxes
  --model NAMES  networks of steps, tracking and profile: resnet50, resnet18, mobilenetv2, alexnet,
                 nanotrack_v1, _v2, _v3, joined by commas; all
  --batch N      pairs a step, several joined by commas; 2, and 8 as well for resnet50
  --regime NAME  of steps and profile: frozen or trained, so that memory is that of one; both
  --rounds N     counted rounds, ours and the others' in turn, after one that is not counted; 5
  --threads N    CPU threads of either; all cores
  --pin          ties CPU threads to processors
  --device NAME  auto, cuda, onednn, reference or emulated
  --precision P  float32, tf32 (a GPU, or a CPU with matrix tiles) or bf16 (a GPU)
  --data DIR     prepared set to load from; a few drawn videos. Of scoring: VOT2018.json and
                 results/VOT2018; drawn ones
  --toolkit DIR  clone of pysot with its extension built, to score with beside ours
  --boxes N      of the made-up set of index; 10000000
  --short        one round of small sizes, to see that everything runs
  --growth       growth only, and without PyTorch
  --out DIR      where figures go: bench.json, bench.md and ratios.svg; growth.json and its plots
  --profile      where the time of a step goes, and how near it is to what the processor can do
  --no-torch     times ours alone
  --json         ends with one line of JSON`;

/** Left out unless asked for: it takes a gigabyte of disk. */
const ON_REQUEST = "index";

/** Runs the command. */
export async function main(args: string[]): Promise<void> {
  const options = parseOptions(args);
  if (options.help) return console.log(USAGE);
  const threads = whole("threads", options.threads) || navigator.hardwareConcurrency;
  await using backend = await useBackend(options.device as "auto", {
    threads,
    pinThreads: options.pin,
    precision: options.precision as "float32" | undefined,
  });
  await using peer = options.torch && !options.profile && !options.growth
    ? await TorchPeer.start(threads)
    : undefined;
  console.log(
    `${backend.name}, ${threads} threads${backend.note ? ` (${backend.note})` : ""}; ` +
      (peer ? `PyTorch ${peer.version} in turn` : "no PyTorch beside it"),
  );
  const settings: BenchSettings = {
    threads,
    device: backend.name,
    batches: options.batch?.split(",").map((batch: string) => whole("batch", batch)),
    models: subjects(options.model ?? (options.short ? "nanotrack_v1" : "all")),
    regimes: regimes(options.regime),
    rounds: options.short ? 1 : whole("rounds", options.rounds),
    peer,
    data: options.data,
    toolkit: options.toolkit,
    boxes: whole("boxes", options.boxes),
    short: options.short,
  };
  if (options.profile) return benchProfile(backend, settings, options.json);
  const parts = options.growth ? ["growth"] : partNames(options.only);
  const { rows, growths, peakBytes } = await runParts(parts, settings);
  const machine: BenchMachine = {
    processor: processorName(),
    backend: backend.name,
    threads,
    torch: peer?.version,
    peakBytes,
  };
  const { out } = options;
  if (out && rows.length > 0) await writeRows(out, rows, machine);
  if (out && growths.length > 0) await writeGrowths(out, growths, machine);
  if (options.json) console.log(JSON.stringify({ ...machine, rows, growths }));
}

function parseOptions(args: string[]) {
  return parseArgs(args, {
    string: [
      "batch",
      "model",
      "regime",
      "rounds",
      "threads",
      "device",
      "precision",
      "only",
      "data",
      "toolkit",
      "boxes",
      "out",
    ],
    boolean: ["json", "torch", "help", "profile", "growth", "short", "pin"],
    negatable: ["torch"],
    default: {
      rounds: "5",
      threads: "0",
      device: "auto",
      torch: true,
      boxes: "10000000",
    },
    unknown: (option: string) => fail(`unknown argument ${option}`),
  });
}

/** Runs the parts one after the other and tells what they find. */
async function runParts(parts: readonly string[], settings: BenchSettings) {
  const rows: Row[] = [], growths: Growth[] = [];
  let peakBytes = { ours: 0, torch: undefined as number | undefined };
  for (const part of parts) {
    for await (const finding of PARTS[part](settings)) {
      if ("points" in finding) growths.push(finding);
      else rows.push(finding);
      console.log("points" in finding ? `\n${formatGrowth(finding)}` : formatRow(finding));
    }
    // What others need is only known of parts that they take, too: not of larger batches.
    if (part === "growth") continue;
    const torch = (await settings.peer?.run("memory"))?.peakBytes;
    peakBytes = { ours: peakMemory(), torch };
    const beside = torch ? `, PyTorch ${formatBytes(torch)}` : "";
    console.log(`peak memory up to here: ${formatBytes(peakBytes.ours)}${beside}`);
  }
  return { rows, growths, peakBytes };
}

function benchProfile(
  backend: BackendHandle,
  { batches: [batch] = [2], regimes, models, rounds }: BenchSettings,
  json: boolean,
): void {
  const profiles: Record<string, StepProfile> = {};
  for (const subject of models) {
    for (const regime of regimes) {
      const profile = profileRegime(backend, { regime, batch, subject, rounds });
      if (profile === undefined) throw new Error(`Cannot profile the ${backend.name} backend`);
      profiles[`${subject.name} ${regime}`] = profile;
      console.log(
        `\n${formatProfile(`${subject.name} step, batch ${batch}, ${regime}`, profile)}`,
      );
    }
  }
  if (json) console.log(JSON.stringify({ backend: backend.name, batch, profiles }));
}

/** Profiles a step that is taken op by op, and beside it how much of a recorded one is JavaScript. */
function profileRegime(
  backend: BackendHandle,
  { regime, batch, subject, rounds }: {
    readonly regime: Regime;
    readonly batch: number;
    readonly subject: Subject;
    readonly rounds: number;
  },
): StepProfile | undefined {
  using plain = new StepBench(regime, batch, subject, { record: false });
  const profile = profileStep(backend, () => plain.step(), { rounds });
  using recorded = new StepBench(regime, batch, subject);
  recorded.warmUp();
  const replayed = profileStep(backend, () => recorded.step(), { rounds });
  if (!profile || !replayed) return profile;
  const { seconds, scriptSeconds } = replayed;
  return { ...profile, recorded: { seconds, scriptSeconds } };
}

function subjects(names: string): readonly Subject[] {
  if (names === "all") return NETWORKS;
  return names.split(",").map((name) =>
    NETWORKS.find((network) => network.name === name) ??
      fail(`--model "${name}", expected ${NETWORKS.map(({ name }) => name).join(", ")} or all`)
  );
}

function regimes(name: string | undefined): typeof REGIMES {
  const found = REGIMES.filter((regime) => name === undefined || regime === name);
  return found.length > 0 ? found : fail(`--regime "${name}", expected ${REGIMES.join(" or ")}`);
}

function partNames(names: string | undefined): readonly string[] {
  const known = Object.keys(PARTS);
  if (names === undefined) return known.filter((name) => name !== ON_REQUEST);
  const unknown = names.split(",").find((name) => !known.includes(name));
  return unknown === undefined
    ? names.split(",")
    : fail(`--only "${unknown}", expected ${known.join(", ")}`);
}

function whole(name: string, text: string): number {
  return /^\d+$/.test(text)
    ? Number(text)
    : fail(`--${name} is "${text}", expected a whole number`);
}

function fail(reason: string): never {
  throw new TypeError(`Cannot run the benchmark: ${reason}\n${USAGE}`);
}

if (import.meta.main) await runTask(main);
