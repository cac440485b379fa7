/**
 * Times training, correlation and loading, and PyTorch beside them where it is: `deno task bench`.
 */
import { parseArgs } from "@std/cli/parse-args";
import { type BackendHandle, useBackend } from "../mod.ts";
import { openBenchData, timeLoader } from "./bench/loader.ts";
import { formatProfile, profileStep, type StepProfile } from "./bench/profile.ts";
import { TorchPeer } from "./bench/torch_peer.ts";
import { type Regime, StepBench, type StepTimes, timeXcorr } from "./bench/training_step.ts";
import { runTask } from "./run_task.ts";

const USAGE = `Usage: deno task bench [options]
  --batch N      pairs a step of SiamBAN-R50, 2
  --rounds N     counted steps, ours and PyTorch's in turn, after one that is not counted; 5
  --threads N    CPU threads of either; all cores
  --device NAME  auto, cuda, onednn, reference or emulated
  --precision P  on a GPU: float32, tf32 or bf16
  --only PART    steps, xcorr or loader
  --profile      where the time of a step goes, and how near it is to what the processor can do
  --no-torch     times ours alone
  --json         ends with one line of JSON`;

/** A row of the table: seconds, or pairs a second, ours and PyTorch's. */
interface Row {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly torch?: number;
  /** How many times faster ours is. */
  readonly ratio?: number;
  /** Medians of the parts of a step. */
  readonly parts?: StepTimes;
}

interface Settings {
  readonly batch: number;
  readonly rounds: number;
  readonly peer?: TorchPeer;
}

const REGIMES: readonly Regime[] = ["frozen", "trained"];

/** Runs the command. */
export async function main(args: string[]): Promise<void> {
  const options = parseArgs(args, {
    string: ["batch", "rounds", "threads", "device", "precision", "only"],
    boolean: ["json", "torch", "help", "profile"],
    negatable: ["torch"],
    default: { batch: "2", rounds: "5", threads: "0", device: "auto", torch: true },
    unknown: (option: string) => fail(`unknown argument ${option}`),
  });
  if (options.help) return console.log(USAGE);
  const threads = whole("threads", options.threads) || navigator.hardwareConcurrency;
  await using backend = await useBackend(options.device as "auto", {
    threads,
    precision: options.precision as "float32" | undefined,
  });
  await using peer = options.torch && !options.profile ? await TorchPeer.start(threads) : undefined;
  console.log(
    `${backend.name}, ${threads} threads${backend.note ? ` (${backend.note})` : ""}; ` +
      (peer ? `PyTorch ${peer.version} in turn` : "no PyTorch beside it"),
  );
  const settings = {
    batch: whole("batch", options.batch),
    rounds: whole("rounds", options.rounds),
    peer,
  };
  if (options.profile) return benchProfile(backend, settings, options.json);
  const parts = { steps: benchSteps, xcorr: benchXcorr, loader: benchLoader };
  const rows: Row[] = [];
  for (const [name, bench] of Object.entries(parts)) {
    if (options.only && options.only !== name) continue;
    for await (const row of bench(settings)) {
      rows.push(row);
      console.log(formatRow(row));
    }
  }
  const peakBytes = { ours: peakMemory(), torch: (await peer?.run("memory"))?.peakBytes };
  console.log(
    `peak memory: ${formatBytes(peakBytes.ours)}` +
      (peakBytes.torch ? `, PyTorch ${formatBytes(peakBytes.torch)}` : ""),
  );
  if (options.json) {
    console.log(JSON.stringify({ backend: backend.name, threads, rows, peakBytes }));
  }
}

async function* benchSteps({ batch, rounds, peer }: Settings): AsyncGenerator<Row> {
  for (const regime of REGIMES) {
    using bench = new StepBench(regime, batch);
    await peer?.run(`build ${regime} ${batch}`);
    bench.step();
    await peer?.run("step");
    const ours: StepTimes[] = [], torch: number[] = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(bench.step());
      if (peer) torch.push((await peer.run("step")).seconds);
    }
    const part = (name: keyof StepTimes) => median(ours.map((times) => times[name]));
    yield {
      ...compare(`R50 step, batch ${batch}, ${regime}`, ours.map(({ total }) => total), torch),
      parts: {
        forward: part("forward"),
        backward: part("backward"),
        update: part("update"),
        total: part("total"),
      },
    };
  }
}

function benchProfile(backend: BackendHandle, { batch, rounds }: Settings, json: boolean): void {
  const profiles: Record<string, StepProfile> = {};
  for (const regime of REGIMES) {
    using bench = new StepBench(regime, batch);
    const profile = profileStep(backend, () => bench.step(), { rounds });
    if (profile === undefined) throw new Error(`Cannot profile the ${backend.name} backend`);
    profiles[regime] = profile;
    console.log(`\n${formatProfile(`R50 step, batch ${batch}, ${regime}`, profile)}`);
  }
  if (json) console.log(JSON.stringify({ backend: backend.name, batch, profiles }));
}

async function* benchXcorr({ batch, rounds, peer }: Settings): AsyncGenerator<Row> {
  const ours: number[] = [], torch: number[] = [];
  for (let round = 0; round < rounds + 1; round++) {
    ours.push(timeXcorr(batch, 10));
    if (peer) torch.push((await peer.run(`xcorr ${batch} 10`)).seconds);
  }
  yield compare(`xcorr 29 x 29 * 5 x 5 x 256, batch ${batch}`, ours.slice(1), torch.slice(1));
}

async function* benchLoader({ rounds }: Settings): AsyncGenerator<Row> {
  const folder = await Deno.makeTempDir();
  try {
    const dataset = await openBenchData(folder);
    for (const workers of [0, 1, navigator.hardwareConcurrency]) {
      const ours = await timeLoader(dataset, { workers, batches: 4 * rounds });
      yield { name: `loader, ${workers} workers`, unit: "pairs/s", ours };
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function compare(name: string, ours: readonly number[], torch: readonly number[]): Row {
  const row = { name, unit: "s", ours: median(ours) };
  if (torch.length === 0) return row;
  return { ...row, torch: median(torch), ratio: median(torch.map((time, i) => time / ours[i])) };
}

function formatRow({ name, unit, ours, torch, ratio, parts }: Row): string {
  const figure = (value: number) => `${value.toPrecision(3)} ${unit}`;
  const beside = torch === undefined
    ? ""
    : `, PyTorch ${figure(torch)}, ${ratio!.toFixed(2)} x as fast`;
  const split = parts
    ? ` (forward ${parts.forward.toPrecision(3)}, backward ${parts.backward.toPrecision(3)}, ` +
      `update ${parts.update.toPrecision(3)})`
    : "";
  return `${name}: ${figure(ours)}${beside}${split}`;
}

/** The most memory that this process has had in use; Linux only. */
function peakMemory(): number {
  const status = Deno.readTextFileSync("/proc/self/status");
  return Number(status.match(/VmHWM:\s+(\d+)/)?.[1] ?? 0) * 1024;
}

function formatBytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
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
