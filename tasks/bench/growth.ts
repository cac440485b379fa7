import { CONVENTIONS, judgeFrames, precisionCurve, Rng, successCurve } from "../../mod.ts";
import { NETWORKS, R50, type Subject } from "./networks.ts";
import { runInOwnProcess } from "./own_process.ts";
import { StepBench } from "./training_step.ts";

/** How a cost grows with one quantity. */
export interface Growth {
  readonly name: string;
  /** What grows, and the cost's unit. */
  readonly by: string;
  readonly unit: "s" | "MiB";
  readonly points: readonly GrowthPoint[];
  /** What fits the points; absent where the quantity is a name. */
  readonly fit?: PowerFit | LineFit;
}

/** One measurement: a quantity, or the place of a name in its list. */
export interface GrowthPoint {
  readonly x: number;
  readonly label: string;
  readonly cost: number;
}

/** cost ≈ a · quantityᵖ with p the slope on logarithmic axes; 1 is in proportion. */
export interface PowerFit {
  readonly kind: "power";
  readonly slope: number;
  /** a. */
  readonly factor: number;
}

/** cost ≈ start + slope · quantity. */
export interface LineFit {
  readonly kind: "line";
  readonly slope: number;
  readonly start: number;
}

/** How much of each is measured, and on what. */
export interface GrowthSettings {
  /** The fastest of so many runs counts. */
  readonly rounds: number;
  /** Few small sizes only, to see that everything runs. */
  readonly short: boolean;
  readonly threads: number;
  readonly device: string;
}

/** Measures how costs grow: step and memory by batch, step by image size and backbone, scoring by sequences. */
export async function* measureGrowth(settings: GrowthSettings): AsyncGenerator<Growth> {
  const { rounds, short } = settings;
  const network = short ? NETWORKS.find(({ name }) => name === "mobilenetv2")! : R50;
  yield* measureBatches(network, settings);
  yield fitPower({
    name: "step",
    by: "search image, pixels a side",
    unit: "s",
    points: (short ? [191, 255] : [191, 255, 319, 383]).map((searchSize) => {
      // The published geometry: (255 − 127) / 8 + 1 + 8 = 25.
      const sized = { ...network, searchSize, scoreSize: (searchSize - 127) / 8 + 9 };
      return { x: searchSize, label: `${searchSize}`, cost: timeStep(sized, rounds) };
    }),
  });
  yield {
    name: "step",
    by: "backbone",
    unit: "s",
    points: NETWORKS.slice(short ? -2 : 0).map((network, x) => ({
      x,
      label: network.name,
      cost: timeStep(network, rounds),
    })),
  };
  yield fitPower({
    name: "evaluation",
    by: "sequences",
    unit: "s",
    points: (short ? [2, 4] : [25, 50, 100, 200]).map((count) => ({
      x: count,
      label: `${count}`,
      cost: timeScoring(count, rounds),
    })),
  });
}

/** Each batch in a process of its own, whose memory holds nothing else. */
async function* measureBatches(
  { name }: Subject,
  { rounds, short, threads, device }: GrowthSettings,
): AsyncGenerator<Growth> {
  const seconds: GrowthPoint[] = [], mebibytes: GrowthPoint[] = [];
  for (const batch of short ? [1, 2] : [1, 2, 4, 8, 16]) {
    const args = [name, `${batch}`, `${rounds}`, `${threads}`, device];
    const costs = await runInOwnProcess<{ seconds: number; peakBytes: number }>(
      "./step_process.ts",
      args,
    );
    const point = { x: batch, label: `${batch}` };
    seconds.push({ ...point, cost: costs.seconds });
    mebibytes.push({ ...point, cost: costs.peakBytes / 2 ** 20 });
  }
  yield fitPower({ name: "step", by: "batch", unit: "s", points: seconds });
  yield fitLine({ name: "memory", by: "batch", unit: "MiB", points: mebibytes });
}

/** Seconds of a step of two pairs with the backbone frozen. */
function timeStep(network: Subject, rounds: number): number {
  using bench = new StepBench("frozen", 2, network);
  bench.warmUp();
  return Math.min(...Array.from({ length: rounds }, () => bench.step().seconds));
}

/** Success and precision of drawn answers under OTB's rules, in sequences of 500 frames. */
function timeScoring(sequences: number, rounds: number): number {
  const rng = new Rng(1);
  const boxes = () =>
    Array.from({ length: 500 }, () => ({
      x: 100 * rng.uniform(),
      y: 100 * rng.uniform(),
      w: 50 + 50 * rng.uniform(),
      h: 50 + 50 * rng.uniform(),
    }));
  const all = Array.from({ length: sequences }, () => ({ truth: boxes(), found: boxes() }));
  const rules = CONVENTIONS.pysot.ope;
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now();
    for (const { truth, found } of all) {
      const judged = judgeFrames(found, { boxes: truth, size: { w: 200, h: 200 } }, rules);
      successCurve(judged, rules);
      precisionCurve(judged.centre, rules.precisionThresholds);
    }
    return (performance.now() - start) / 1000;
  });
  return Math.min(...times);
}

/** Least squares of log cost over log quantity. */
export function fitPower(growth: Growth): Growth & { readonly fit: PowerFit } {
  const logs = growth.points.map(({ x, cost }) => [Math.log(x), Math.log(cost)] as const);
  const { slope, start } = leastSquares(logs);
  return { ...growth, fit: { kind: "power", slope, factor: Math.exp(start) } };
}

/** Least squares of cost over quantity. */
export function fitLine(growth: Growth): Growth & { readonly fit: LineFit } {
  const line = leastSquares(growth.points.map(({ x, cost }) => [x, cost] as const));
  return { ...growth, fit: { kind: "line", ...line } };
}

function leastSquares(points: readonly (readonly [x: number, y: number])[]) {
  const mean = (axis: 0 | 1) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [mx, my] = [mean(0), mean(1)];
  const covariance = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  const slope = covariance / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  return { slope, start: my - slope * mx };
}
