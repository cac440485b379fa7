import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { main } from "../../tasks/bench.ts";
import { fitLine, fitPower, type Growth } from "../../tasks/bench/growth.ts";
import { formatGrowth, plotGrowth } from "../../tasks/bench/growth_report.ts";
import { compare, formatTable } from "../../tasks/bench/rows.ts";
import { NETWORKS } from "../../tasks/bench/networks.ts";
import { StepBench } from "../../tasks/bench/training_step.ts";
import { BACKENDS } from "../support/backends.ts";

const growthOf = (cost: (x: number) => number): Growth => ({
  name: "step",
  by: "batch",
  unit: "s",
  points: [1, 2, 4, 8].map((x) => ({ x, label: `${x}`, cost: cost(x) })),
});

Deno.test("fitPower() finds the power of a growth, and the report says it", () => {
  const growth = fitPower(growthOf((x) => 5 * x ** 3));
  assertAlmostEquals(growth.fit.slope, 3, 1e-12);
  assertAlmostEquals(growth.fit.factor, 5, 1e-11);
  assertStringIncludes(formatGrowth(growth), "| step, s | 5.00 | 40.0 | 320 | 2.56e+3 |");
  assertStringIncludes(formatGrowth(growth), "power 3.00");
  assertEquals(plotGrowth(growth).name, "step_by_batch");
});

Deno.test("fitLine() finds start and slope of a line, and the report says them", () => {
  const growth = fitLine(growthOf((x) => 100 + 7 * x));
  assertAlmostEquals(growth.fit.slope, 7, 1e-12);
  assertAlmostEquals(growth.fit.start, 100, 1e-11);
  assertStringIncludes(formatGrowth(growth), "100 + 7.0 x batch, in s");
});

Deno.test("compare() takes the median of the ratios of each round", () => {
  const row = compare("step", [1, 2, 4], [3, 4, 8]);
  assertEquals([row.ours, row.torch, row.ratio], [2, 4, 2]);
  const machine = { processor: "P", backend: "onednn", threads: 2, peakBytes: { ours: 2 ** 30 } };
  assertStringIncludes(formatTable([row], machine), "| step, s | 2.00 | 4.00 | 2.00 |  |  |");
});

const onednn = BACKENDS.find(({ name }) => name === "onednn")!;

Deno.test({
  name: "StepBench takes recorded steps, as a training does, with the losses of those op by op",
  ignore: !onednn.available,
  async fn() {
    await using _ = await onednn.use();
    const network = NETWORKS.find(({ name }) => name === "nanotrack_v1")!;
    using recorded = new StepBench("trained", 1, network);
    using plain = new StepBench("trained", 1, network, { record: false });
    assertEquals(recorded.warmUp(), plain.warmUp());
    assertEquals(recorded.step().loss, plain.step().loss);
    assertEquals([recorded.replays, plain.replays], [true, false]);
  },
});

Deno.test({
  name: "bench --growth --short writes its figures and a plot of each",
  ignore: !onednn.available,
  async fn() {
    const out = await Deno.makeTempDir();
    const { log } = console;
    console.log = () => {};
    try {
      await main(["--growth", "--short", "--rounds", "1", "--device", "onednn", "--out", out]);
    } finally {
      console.log = log;
    }
    const { growths } = JSON.parse(await Deno.readTextFile(`${out}/growth.json`));
    assertEquals(growths.length, 5);
    for (const { points } of growths) {
      for (const { cost } of points) assert(cost > 0 && Number.isFinite(cost));
    }
    const plots = [...Deno.readDirSync(out)].filter(({ name }) => name.endsWith(".svg"));
    assertEquals(plots.length, growths.length);
    await Deno.remove(out, { recursive: true });
  },
});
