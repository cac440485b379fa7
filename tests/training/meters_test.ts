import { assertAlmostEquals, assertEquals } from "@std/assert";
import { addToAverage, emptyAverage, meterSteps, progressAt } from "../../src/training/meters.ts";
import { formatAverage } from "../../src/training/report_lines.ts";
import { averageCases, scenario } from "./golden_log.ts";

for (const { window, rows } of averageCases) {
  Deno.test(`addToAverage() prints as the reference with window ${window}`, () => {
    let loss = emptyAverage(window);
    let time = emptyAverage(window);
    for (const row of rows) {
      loss = addToAverage(loss, row.value);
      time = addToAverage(time, row.value * 2);
      assertEquals(formatAverage("loss", loss), row.str_loss);
      assertEquals(formatAverage("t", time), row.str_t);
    }
  });
}

Deno.test("addToAverage() changes no earlier average", () => {
  const before = addToAverage(emptyAverage(2), 1);
  const copy = structuredClone(before);
  addToAverage(before, 5);
  assertEquals(before, copy);
});

Deno.test("addToAverage() recovers from values that are not finite", () => {
  for (const window of [100, 0, -1]) {
    let average = addToAverage(emptyAverage(window), NaN);
    assertEquals([average.last, average.mean], [NaN, NaN]);
    average = addToAverage(average, 2);
    assertEquals([average.last, average.mean], [2, 2]);
    average = addToAverage(average, Infinity);
    assertEquals([average.last, average.mean], [Infinity, 2]);
  }
});

Deno.test("addToAverage() does not drift over a million values", () => {
  let average = emptyAverage(-1);
  for (let i = 0; i < 1e6; i++) average = addToAverage(average, 0.1);
  assertAlmostEquals(average.mean, 0.1, 1e-15);
});

Deno.test("meterSteps() keeps the losses of skipped steps out of the averages", async () => {
  const { reports } = scenario("nan_loss");
  const skipped = reports.map((report, i) => i % 2 === 1 ? { ...report, skipped: "NaN" } : report);
  const steps = await Array.fromAsync(meterSteps(stream(skipped), { epochs: 3 }));
  const { cls_loss, loc_loss, batch_time } = steps[3].averages;
  assertEquals(cls_loss.last, 20000);
  assertAlmostEquals(cls_loss.mean, (0.7 + 0.6) / 2, 1e-6);
  assertAlmostEquals(loc_loss.mean, (0.8 + 0.7) / 2, 1e-6);
  assertEquals(batch_time.count, 4);
  assertEquals(steps[1].averages.cls_loss.count, 1); // later steps left it alone
});

Deno.test("meterSteps() counts progress over the whole training, also after a resume", async () => {
  const { reports, epochs } = scenario("two_phases");
  const [first] = await Array.fromAsync(meterSteps(stream(reports.slice(8)), { epochs }));
  assertEquals([first.progress.done, first.progress.total], [9, 16]);
  assertAlmostEquals(first.progress.remainingSeconds, 7 * first.report.batchTime, 1e-9);
});

Deno.test("progressAt() multiplies the steps left", () => {
  const progress = progressAt({ done: 20, total: 1000, secondsPerStep: 0.5 });
  assertEquals(progress.remainingSeconds, 490);
});

async function* stream<T>(values: readonly T[]): AsyncGenerator<T> {
  for (const value of values) yield await Promise.resolve(value);
}
