import { CONVENTIONS, judgeFrames, precisionCurve, Rng, successCurve } from "../../mod.ts";
import { NETWORKS, R50, type Subject } from "./networks.ts";
import { StepBench } from "./training_step.ts";

/** How a cost grows with one quantity. */
export interface Growth {
  readonly name: string;
  /** What grows, and the cost's unit. */
  readonly by: string;
  readonly unit: "s" | "MiB" | "x";
  readonly points: readonly GrowthPoint[];
  /** Exponent p of the fitted cost ≈ a · quantityᵖ; 1 is in proportion. Absent for names. */
  readonly slope?: number;
}

/** One measurement: a quantity, or the place of a name in its list. */
export interface GrowthPoint {
  readonly x: number;
  readonly label: string;
  readonly cost: number;
}

/** How much of each is measured. */
export interface GrowthSettings {
  /** The fastest of so many runs counts. */
  readonly rounds: number;
  /** Few small sizes only, to see that everything runs. */
  readonly short: boolean;
}

/** Measures how costs grow: step and memory by batch, step by image size and backbone, scoring by sequences. */
export function* measureGrowth({ rounds, short }: GrowthSettings): Generator<Growth> {
  const small = short ? NETWORKS.find(({ name }) => name === "mobilenetv2")! : R50;
  const batches = short ? [1, 2] : [1, 2, 4, 8, 16];
  const steps = batches.map((batch) => ({
    x: batch,
    label: `${batch}`,
    ...timeStep(small, { batch, rounds }),
  }));
  const pick = (cost: "seconds" | "mebibytes") =>
    steps.map(({ x, label, ...costs }) => ({ x, label, cost: costs[cost] }));
  yield fit({ name: "step", by: "batch", unit: "s", points: pick("seconds") });
  yield fit({ name: "memory", by: "batch", unit: "MiB", points: pick("mebibytes") });
  yield fit({
    name: "step",
    by: "search image, pixels a side",
    unit: "s",
    points: (short ? [191, 255] : [191, 255, 319, 383]).map((searchSize) => {
      // The published geometry: (255 − 127) / 8 + 1 + 8 = 25.
      const sized = { ...small, searchSize, scoreSize: (searchSize - 127) / 8 + 9 };
      const cost = timeStep(sized, { batch: 2, rounds }).seconds;
      return { x: searchSize, label: `${searchSize}`, cost };
    }),
  });
  yield {
    name: "step",
    by: "backbone",
    unit: "s",
    points: NETWORKS.slice(short ? -2 : 0).map((network, x) => ({
      x,
      label: network.name,
      cost: timeStep(network, { batch: 2, rounds }).seconds,
    })),
  };
  yield fit({
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

function timeStep(network: Subject, { batch, rounds }: { batch: number; rounds: number }) {
  using bench = new StepBench("frozen", batch, network);
  bench.step();
  const seconds = Array.from({ length: rounds }, () => bench.step().total);
  return { seconds: Math.min(...seconds), mebibytes: Deno.memoryUsage().rss / 2 ** 20 };
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
export function fit(growth: Growth): Growth {
  const logs = growth.points.map(({ x, cost }) => [Math.log(x), Math.log(cost)]);
  const mean = (axis: number) => logs.reduce((sum, log) => sum + log[axis], 0) / logs.length;
  const [mx, my] = [mean(0), mean(1)];
  const covariance = logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return { ...growth, slope: covariance / logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0) };
}
