import { type Growth, measureGrowth } from "./growth.ts";
import { drawFrames, timeCrops } from "./crops.ts";
import { openInProcess, writeMadeUpSet } from "./index.ts";
import { drawBenchData, openBenchData, timeLoader, timeOpenCv } from "./loader.ts";
import { R50, type Subject } from "./networks.ts";
import { compare, formatBytes, median, type Row } from "./rows.ts";
import type { TorchPeer } from "./torch_peer.ts";
import { drawResults, type ScoringTimes, timeScoring } from "./scoring.ts";
import { benchTracking } from "./tracking.ts";
import { type Regime, StepBench, timeXcorr } from "./training_step.ts";

/** What is timed, and how often. */
export interface BenchSettings {
  /** Whether the backbone learns, of steps and profile. */
  readonly regimes: readonly Regime[];
  readonly threads: number;
  /** Of the backend in use. */
  readonly device: string;
  /** Pairs a step; where they are not given, 2, and for SiamBAN-R50 8 as well. */
  readonly batches?: readonly number[];
  /** Counted ones, ours and the peers' in turn. */
  readonly rounds: number;
  readonly models: readonly Subject[];
  readonly peer?: TorchPeer;
  /** A prepared set to load from; for scoring, annotations and results. */
  readonly data?: string;
  /** A built clone of pysot. */
  readonly toolkit?: string;
  /** Of the made-up set of `index`. */
  readonly boxes: number;
  /** Small sizes only, to see that everything runs. */
  readonly short: boolean;
  /** Folder for plots. */
  readonly out?: string;
}

/** What a part finds, to be said at once. */
export type Finding = Row | Growth;

/** How SiamBAN is trained at the start, and from the tenth epoch on. */
export const REGIMES: readonly Regime[] = ["frozen", "trained"];

/** The parts of the benchmark by name. */
export const PARTS: Readonly<
  Record<string, (settings: BenchSettings) => AsyncGenerator<Finding>>
> = {
  steps: benchSteps,
  xcorr: benchXcorr,
  loader: benchLoader,
  crops: benchCrops,
  tracking: benchTracking,
  scoring: benchScoring,
  growth: measureGrowth,
  index: benchIndex,
};

async function* benchSteps(
  { batches, regimes, models, rounds, peer }: BenchSettings,
): AsyncGenerator<Row> {
  for (const subject of models) {
    for (const batch of batches ?? (subject === R50 ? [2, 8] : [2])) {
      for (const regime of regimes) yield await benchStep(subject, { regime, batch, rounds, peer });
    }
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
  const first = bench.warmUp(), torchFirst = (await peer?.run("step"))?.loss;
  const ours: number[] = [], torch: number[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(bench.step().seconds);
    if (peer) torch.push((await peer.run("step")).seconds);
  }
  const row = compare(`${subject.name} step, batch ${batch}, ${regime}`, ours, torch);
  if (torchFirst === undefined) return { ...row, details: { loss: first } };
  return {
    ...row,
    details: {
      "x as fast by the fastest steps": Math.min(...torch) / Math.min(...ours),
      "loss": Number(first.toFixed(6)),
      "loss of PyTorch": Number(torchFirst.toFixed(6)),
    },
  };
}

async function* benchXcorr(
  { batches: [batch] = [2], rounds, peer }: BenchSettings,
): AsyncGenerator<Row> {
  const ours: number[] = [], torch: number[] = [];
  for (let round = 0; round < rounds + 1; round++) {
    ours.push(timeXcorr(batch, 10));
    if (peer) torch.push((await peer.run(`xcorr ${batch} 10`)).seconds);
  }
  yield compare(`xcorr 29 x 29 * 5 x 5 x 256, batch ${batch}`, ours.slice(1), torch.slice(1));
}

async function* benchLoader({ rounds, data: prepared, short }: BenchSettings): AsyncGenerator<Row> {
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
    const every = [[1, false], [0, true], [1, true], [cores, true]] as const;
    const cases = short ? every.slice(1, 3) : every;
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

async function* benchCrops({ rounds, short }: BenchSettings): AsyncGenerator<Row> {
  const folder = await Deno.makeTempDir();
  try {
    await drawFrames(folder, short ? 10 : 240);
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

async function* benchScoring({ rounds, data, toolkit }: BenchSettings): AsyncGenerator<Row> {
  const folder = await Deno.makeTempDir();
  try {
    if (!data) await drawResults(folder);
    const times: ScoringTimes[] = [];
    for (let i = 0; i < rounds; i++) times.push(await timeScoring(data ?? folder, toolkit));
    yield scoringRow("start included", times, ({ clock }) => clock);
    yield scoringRow("start included, processor time", times, ({ seconds }) => seconds);
    yield scoringRow("once more, processor time", times, ({ again }) => again);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function scoringRow(
  what: string,
  times: readonly ScoringTimes[],
  secondsOf: (times: ScoringTimes["ours"]) => number,
): Row {
  const [{ trackers, difference = 0 }] = times;
  const ours = times.map((time) => secondsOf(time.ours));
  const peer = times.flatMap((time) => time.peer ? [secondsOf(time.peer)] : []);
  return {
    name: `VOT results of ${trackers} trackers, ${what}`,
    unit: "s",
    ours: median(ours),
    ...peer.length === 0 ? { note: "no toolkit beside it" } : {
      details: {
        "s pysot's toolkit": median(peer),
        "x as fast": median(peer.map((seconds, i) => seconds / ours[i])),
        "largest difference": difference,
      },
    },
  };
}

async function* benchIndex({ boxes: count }: BenchSettings): AsyncGenerator<Row> {
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
