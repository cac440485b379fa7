import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { main } from "../../tasks/bench.ts";
import { fit } from "../../tasks/bench/growth.ts";
import { formatGrowth, plotGrowth } from "../../tasks/bench/growth_report.ts";
import { BACKENDS } from "../support/backends.ts";

const cubes = [1, 2, 4, 8].map((x) => ({ x, label: `${x}`, cost: 5 * x ** 3 }));

Deno.test("fit() finds the power of a growth, and the report says it", () => {
  const growth = fit({ name: "step", by: "batch", unit: "s", points: cubes });
  assertAlmostEquals(growth.slope!, 3, 1e-12);
  assertStringIncludes(formatGrowth(growth), "| step, s | 5.00 | 40.0 | 320 | 2.56e+3 |");
  assertStringIncludes(formatGrowth(growth), "to the 3.00");
  assertEquals(plotGrowth(growth).name, "step_by_batch");
});

Deno.test({
  name: "bench --growth --short writes its figures and a plot of each",
  ignore: !BACKENDS.find(({ name }) => name === "onednn")!.available,
  async fn() {
    const out = await Deno.makeTempDir();
    const { log } = console;
    console.log = () => {};
    try {
      await main(["--growth", "--short", "--rounds", "1", "--device", "onednn", "--out", out]);
    } finally {
      console.log = log;
    }
    const growths = JSON.parse(await Deno.readTextFile(`${out}/growth.json`));
    assertEquals(growths.length, 5);
    for (const { points } of growths) {
      for (const { cost } of points) assert(cost > 0 && Number.isFinite(cost));
    }
    const plots = [...Deno.readDirSync(out)].filter(({ name }) => name.endsWith(".svg"));
    assertEquals(plots.length, growths.length);
    await Deno.remove(out, { recursive: true });
  },
});
