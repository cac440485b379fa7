/**
 * Times training, correlation and loading, and PyTorch beside them where it is: `deno task bench`.
 */
import { parseArgs } from "@std/cli/parse-args";
import { type BackendHandle, useBackend } from "../mod.ts";
import { drawFrames, timeCrops } from "./bench/crops.ts";
import { openInProcess, writeMadeUpSet } from "./bench/index.ts";
import { drawBenchData, openBenchData, timeLoader, timeOpenCv } from "./bench/loader.ts";
import { type Growth, measureGrowth } from "./bench/growth.ts";
import { formatGrowth, plotGrowth } from "./bench/growth_report.ts";
import { formatProfile, profileStep, type StepProfile } from "./bench/profile.ts";
import { NETWORKS, type Subject } from "./bench/networks.ts";
import { TorchPeer } from "./bench/torch_peer.ts";
import { benchTracking, type TrackingTimes } from "./bench/tracking.ts";
import { drawResults, type ScoringTimes, timeScoring } from "./bench/scoring.ts";
import { type Regime, StepBench, type StepTimes, timeXcorr } from "./bench/training_step.ts";
import { runTask } from "./run_task.ts";
import { readSystemFile } from "../src/ffi/system_file.ts";

const USAGE = `Usage: deno task bench [options]
  --batch N      pairs a step, 2
  --model NAMES  networks of steps, profile: resnet50, resnet18, mobilenetv2, alexnet, nanotrack_v1,
                 _v2, _v3, joined by commas, or all; resnet50
  --rounds N     counted steps, ours and PyTorch's in turn, after one that is not counted; 5
  --threads N    CPU threads of either; all cores
  --pin          ties CPU threads to processors
  --device NAME  auto, cuda, onednn, reference or emulated
  --precision P  float32, tf32 (a GPU, or a CPU with matrix tiles) or bf16 (a GPU)
  --only PART    steps, xcorr, loader, crops, tracking (which ONNX Runtime joins where npm has it),
                 scoring, or index, which is left out otherwise
  --data DIR     prepared set to load from; a few drawn videos. Of scoring: VOT2018.json and
                 results/VOT2018; drawn ones
  --toolkit DIR  clone of pysot with its extension built, to score with beside ours
  --boxes N      of the made-up set of index; 10000000
  --growth       how step, memory and scoring grow with batch, image, backbone and sequences
  --short        of --growth: small sizes only, to see that it runs
  --out DIR      where figures go: bench.json, bench.md and ratios.svg, or growth.json and its plots
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
  /** More figures of this row. */
  readonly details?: Readonly<Record<string, number>>;
  /** ONNX Runtime's, of a frame's network. */
  readonly onnx?: number;
  /** Of a whole tracker. */
  readonly framesPerSecond?: number;
  /** What else is to be said. */
  readonly note?: string;
}

interface Settings {
  readonly threads: number;
  readonly batch: number;
  readonly rounds: number;
  readonly models: readonly Subject[];
  readonly peer?: TorchPeer;
  readonly data?: string;
  readonly toolkit?: string;
  readonly boxes: number;
}

const REGIMES: readonly Regime[] = ["frozen", "trained"];

/** Runs the command. */
export async function main(args: string[]): Promise<void> {
  const options = parseArgs(args, {
    string: [
      "batch",
      "model",
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
      batch: "2",
      model: "resnet50",
      rounds: "5",
      threads: "0",
      device: "auto",
      torch: true,
      boxes: "10000000",
    },
    unknown: (option: string) => fail(`unknown argument ${option}`),
  });
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
  const settings = {
    threads,
    batch: whole("batch", options.batch),
    models: subjects(options.model),
    rounds: whole("rounds", options.rounds),
    peer,
    data: options.data,
    toolkit: options.toolkit,
    boxes: whole("boxes", options.boxes),
  };
  if (options.profile) return benchProfile(backend, settings, options.json);
  if (options.growth) {
    return await benchGrowth({ ...settings, short: options.short, out: options.out });
  }
  const parts = {
    steps: benchSteps,
    xcorr: benchXcorr,
    loader: benchLoader,
    crops: benchCrops,
    tracking: benchTrackers,
    scoring: benchScoring,
    index: benchIndex,
  };
  const rows: Row[] = [];
  for (const [name, bench] of Object.entries(parts)) {
    if (name !== (options.only ?? (name === "index" ? undefined : name))) continue;
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
  if (options.out) {
    await writeRows(options.out, rows, { backend: backend.name, threads, peakBytes });
  }
  if (options.json) {
    console.log(JSON.stringify({ backend: backend.name, threads, rows, peakBytes }));
  }
}

async function* benchSteps({ batch, models, rounds, peer }: Settings): AsyncGenerator<Row> {
  for (const subject of models) {
    for (const regime of REGIMES) yield await benchStep(subject, { regime, batch, rounds, peer });
  }
}

async function benchStep(
  subject: Subject,
  { regime, batch, rounds, peer }: {
    readonly regime: Regime;
    readonly batch: number;
    readonly rounds: number;
    readonly peer?: TorchPeer;
  },
): Promise<Row> {
  using bench = new StepBench(regime, batch, subject);
  await peer?.take(subject.name, bench);
  const first = bench.step().loss, torchFirst = (await peer?.run("step"))?.loss;
  const ours: StepTimes[] = [], torch: number[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(bench.step());
    if (peer) torch.push((await peer.run("step")).seconds);
  }
  const part = (name: keyof StepTimes) => median(ours.map((times) => times[name]));
  const seconds = ours.map(({ total }) => total);
  const row = compare(`${subject.name} step, batch ${batch}, ${regime}`, seconds, torch);
  return {
    ...row,
    parts: {
      forward: part("forward"),
      backward: part("backward"),
      update: part("update"),
      total: part("total"),
      loss: first,
    },
    ...torchFirst === undefined ? {} : {
      details: {
        "x as fast by the fastest steps": Math.min(...torch) / Math.min(...seconds),
        "loss": Number(first.toFixed(6)),
        "loss of PyTorch": Number(torchFirst.toFixed(6)),
      },
    },
  };
}

function benchProfile(
  backend: BackendHandle,
  { batch, models, rounds }: Settings,
  json: boolean,
): void {
  const profiles: Record<string, StepProfile> = {};
  for (const subject of models) {
    for (const regime of REGIMES) {
      using bench = new StepBench(regime, batch, subject);
      const profile = profileStep(backend, () => bench.step(), { rounds });
      if (profile === undefined) throw new Error(`Cannot profile the ${backend.name} backend`);
      profiles[`${subject.name} ${regime}`] = profile;
      console.log(
        `\n${formatProfile(`${subject.name} step, batch ${batch}, ${regime}`, profile)}`,
      );
    }
  }
  if (json) console.log(JSON.stringify({ backend: backend.name, batch, profiles }));
}

async function benchGrowth(
  { rounds, short, out }: Settings & { readonly short: boolean; readonly out?: string },
): Promise<void> {
  const { renderSvg } = await import("../src/evaluation/plots/render.ts");
  const growths: Growth[] = [];
  if (out) Deno.mkdirSync(out, { recursive: true });
  for (const growth of measureGrowth({ rounds, short })) {
    growths.push(growth);
    console.log(`\n${formatGrowth(growth)}`);
    if (!out) continue;
    const plot = plotGrowth(growth);
    Deno.writeTextFileSync(`${out}/${plot.name}.svg`, renderSvg(plot));
  }
  if (out) Deno.writeTextFileSync(`${out}/growth.json`, JSON.stringify(growths, null, 2));
}

async function* benchXcorr({ batch, rounds, peer }: Settings): AsyncGenerator<Row> {
  const ours: number[] = [], torch: number[] = [];
  for (let round = 0; round < rounds + 1; round++) {
    ours.push(timeXcorr(batch, 10));
    if (peer) torch.push((await peer.run(`xcorr ${batch} 10`)).seconds);
  }
  yield compare(`xcorr 29 x 29 * 5 x 5 x 256, batch ${batch}`, ours.slice(1), torch.slice(1));
}

async function* benchLoader({ rounds, data: prepared }: Settings): AsyncGenerator<Row> {
  const folder = await Deno.makeTempDir();
  try {
    const data = prepared ? openBenchData(prepared) : await drawBenchData(folder);
    const peers: number[] = [];
    const peer = async () => {
      const speed = await timeOpenCv(data, 40 * rounds);
      if (speed) peers.push(speed.cpuRate);
      return speed;
    };
    const first = await peer();
    if (first) yield { name: "Python and OpenCV, 1 thread", unit: "pairs/s", ours: first.rate };
    const cores = navigator.hardwareConcurrency;
    const cases = [[1, false], [0, true], [1, true], [cores, true]] as const;
    for (const [workers, native] of cases) {
      const options = { workers, native, batches: (native ? 20 : 10) * rounds };
      const { rate, cpuRate, work } = await timeLoader(data.dataset, options);
      await peer();
      yield {
        name: `loader, ${workers} workers${native ? "" : ", TypeScript alone"}`,
        unit: "pairs/s",
        ours: rate,
        details: {
          "a CPU second": cpuRate,
          ...(peers.length > 0 ? { "times OpenCV's a CPU second": cpuRate / median(peers) } : {}),
          ...Object.fromEntries(Object.entries(work).map(([part, ms]) => [`ms ${part}`, ms])),
        },
      };
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function* benchCrops({ rounds }: Settings): AsyncGenerator<Row> {
  const folder = await Deno.makeTempDir();
  try {
    await drawFrames(folder);
    const ours: number[] = [], peers: number[] = [];
    for (let round = 0; round < rounds + 1; round++) {
      const times = await timeCrops(folder);
      ours.push(times.ours);
      if (times.peer !== undefined) peers.push(times.peer);
    }
    const own = median(ours.slice(1)), peer = peers.length > 1 ? median(peers.slice(1)) : undefined;
    yield {
      name: "preparation of a 480 x 360 frame, processor time",
      unit: "ms",
      ours: own,
      ...peer === undefined
        ? { note: "no OpenCV beside it" }
        : { details: { "ms OpenCV for both crops": peer, "x as fast": peer / own } },
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function* benchScoring({ rounds, data, toolkit }: Settings): AsyncGenerator<Row> {
  const folder = await Deno.makeTempDir();
  try {
    if (!data) await drawResults(folder);
    const times: ScoringTimes[] = [];
    for (let i = 0; i < rounds; i++) times.push(await timeScoring(data ?? folder, toolkit));
    const ours = median(times.map((time) => time.ours));
    const [{ trackers, peer, difference = 0 }] = times;
    const ratios = times.map((time) => time.peer! / time.ours);
    yield {
      name: `VOT results of ${trackers} trackers, processor time`,
      unit: "s",
      ours,
      ...peer === undefined ? { note: "no toolkit beside it" } : {
        details: {
          "s pysot's toolkit": median(times.map((time) => time.peer!)),
          "x as fast": median(ratios),
          "largest difference": difference,
        },
      },
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function* benchIndex({ boxes: count }: Settings): AsyncGenerator<Row> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/train.json`;
    const bytes = await writeMadeUpSet(path, count);
    // Right behind its writing a file's times cannot be trusted: the third opening hashes nothing.
    for (const which of ["first", "second", "third"]) {
      const { seconds, boxes, before, after, peak } = await openInProcess(path);
      yield {
        name: `${which} opening of ${boxes} boxes (${formatBytes(bytes)} of text)`,
        unit: "s",
        ours: seconds,
        details: {
          "bytes a box resident": (after - before) / boxes,
          "bytes a box at most": (peak - before) / boxes,
        },
      };
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Rounds of a frame, which takes a hundredth of a step, for one of a step. */
const FRAMES_A_ROUND = 12;

async function* benchTrackers({ rounds, threads, peer }: Settings): AsyncGenerator<Row> {
  const options = { rounds: FRAMES_A_ROUND * rounds, threads, peer };
  for await (const times of benchTracking(options)) yield toRow(times);
}

function toRow({ name, network, torch, onnx, frame, without }: TrackingTimes): Row {
  const others = [
    ...onnx === undefined
      ? without ? [`without ONNX Runtime: ${without}`] : []
      : [`ONNX Runtime ${onnx.toPrecision(3)} s, ${(onnx / network).toFixed(2)} x as fast`],
    `${(1 / frame).toFixed(1)} frames/s with crop and choice`,
  ];
  return {
    name: `${name}, a frame`,
    unit: "s",
    ours: network,
    ...torch === undefined ? {} : { torch, ratio: torch / network },
    ...onnx === undefined ? {} : { onnx },
    framesPerSecond: 1 / frame,
    note: others.join(", "),
  };
}

/** Writes the rows as JSON, as a Markdown table, and the ratios as a plot. */
async function writeRows(out: string, rows: readonly Row[], about: object): Promise<void> {
  const { renderSvg } = await import("../src/evaluation/plots/render.ts");
  await Deno.mkdir(out, { recursive: true });
  await Deno.writeTextFile(`${out}/bench.json`, JSON.stringify({ ...about, rows }, null, 2));
  const head = ["work", "unit", "here", "PyTorch", "times as fast"];
  const cells = rows.map(({ name, unit, ours, torch, ratio }) => [
    name,
    unit,
    ours.toPrecision(3),
    torch?.toPrecision(3) ?? "",
    ratio?.toFixed(2) ?? "",
  ]);
  const table = [head, head.map(() => "---"), ...cells].map((row) => `| ${row.join(" | ")} |`);
  await Deno.writeTextFile(`${out}/bench.md`, `${table.join("\n")}\n`);
  const compared = rows.filter(({ ratio }) => ratio !== undefined);
  const points = compared.map(({ name, ratio }, x) => ({ x, label: name, cost: ratio! }));
  const plot = plotGrowth({ name: "times as fast", by: "work", unit: "x", points });
  await Deno.writeTextFile(`${out}/ratios.svg`, renderSvg(plot));
}

function compare(name: string, ours: readonly number[], torch: readonly number[]): Row {
  const row = { name, unit: "s", ours: median(ours) };
  if (torch.length === 0) return row;
  return { ...row, torch: median(torch), ratio: median(torch.map((time, i) => time / ours[i])) };
}

function formatRow({ name, unit, ours, torch, ratio, parts, details = {}, note }: Row): string {
  const figure = (value: number) => `${value.toPrecision(3)} ${unit}`;
  const beside = torch === undefined
    ? ""
    : `, PyTorch ${figure(torch)}, ${ratio!.toFixed(2)} x as fast`;
  const split = parts
    ? ` (forward ${parts.forward.toPrecision(3)}, backward ${parts.backward.toPrecision(3)}, ` +
      `update ${parts.update.toPrecision(3)})`
    : "";
  const more = Object.entries(details).map(([what, value]) =>
    `, ${value.toPrecision(what.startsWith("loss") ? 5 : 3)} ${what}`
  );
  return `${name}: ${figure(ours)}${beside}${split}${more.join("")}${note ? `; ${note}` : ""}`;
}

/** The most memory that this process has had in use; Linux only. */
function peakMemory(): number {
  const status = readSystemFile("/proc/self/status") ?? "";
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

function subjects(names: string): readonly Subject[] {
  if (names === "all") return NETWORKS;
  return names.split(",").map((name) =>
    NETWORKS.find((network) => network.name === name) ??
      fail(`--model "${name}", expected ${NETWORKS.map(({ name }) => name).join(", ")} or all`)
  );
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
