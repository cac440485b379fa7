import { assertEquals, assertStringIncludes } from "@std/assert";
import { type MeteredStep, meterSteps, progressAt } from "../../src/training/meters.ts";
import {
  formatFixed,
  formatNumber,
  formatProgress,
  stepMessages,
} from "../../src/training/report_lines.ts";
import type { StepReport } from "../../src/training/report.ts";
import { progressCases, scenario } from "./golden_log.ts";

function metered(reports: readonly StepReport[], epochs: number): Promise<MeteredStep[]> {
  return Array.fromAsync(meterSteps(ReadableStream.from(reports), { epochs }));
}

for (const name of ["two_phases", "exact_division"]) {
  Deno.test(`stepMessages() prints what the reference prints in scenario ${name}`, async () => {
    const { reports, epochs, printEvery, messages } = scenario(name);
    const steps = await metered(reports, epochs);
    assertEquals(steps.flatMap((step) => stepMessages(step, { printEvery })), [...messages]);
  });
}

Deno.test("stepMessages() prints a loss that is not a number, and then recovers", async () => {
  const { reports, epochs, messages } = scenario("nan_loss");
  const steps = await metered(
    reports.map((report, i) =>
      i % 2 === 1 ? { ...report, skipped: "batch 2 is not finite" } : report
    ),
    epochs,
  );
  const printed = steps.map((step) => stepMessages(step, { printEvery: 1 }));
  assertEquals(printed[0], messages.slice(0, 2)); // as the reference until the first NaN
  assertEquals(
    printed[1][0],
    "Skipped: epoch 1 step 2, cls_loss: nan loc_loss: 0.500000, batch 2 is not finite",
  );
  assertStringIncludes(
    printed[1][1],
    "\tcls_loss: nan (0.700000)\tloc_loss: 0.500000 (0.800000)\n",
  );
  assertStringIncludes(printed[2][0], "\tcls_loss: 0.600000 (0.650000)\t");
  assertEquals(printed.map((lines) => lines.at(-1)), [1, 3, 5, 7].map((i) => messages[i]));
});

Deno.test("formatProgress() prints as the reference", () => {
  for (const { i, n, i_time, line } of progressCases) {
    assertEquals(formatProgress(progressAt({ done: i, total: n, secondsPerStep: i_time })), line);
  }
});

Deno.test("formatFixed() rounds exact ties to the even digit, as C does", () => {
  const rounded = [0.0078125, 0.0234375, -0.0078125, 0.5, 1e-7, NaN, -Infinity]
    .map((value) => formatFixed(value, 6));
  assertEquals(
    rounded,
    ["0.007812", "0.023438", "-0.007812", "0.500000", "0.000000", "nan", "-inf"],
  );
});

Deno.test("formatNumber() writes numbers as Python does", () => {
  const texts = [1, 0.1, 0.0001, 0.00005, 1.5e-7, 0, -2.5, 1e15, 1e16, 1.25e20, NaN, Infinity]
    .map(formatNumber);
  assertEquals(texts, [
    ...["1.0", "0.1", "0.0001", "5e-05", "1.5e-07", "0.0", "-2.5", "1000000000000000.0", "1e+16"],
    ...["1.25e+20", "nan", "inf"],
  ]);
});
