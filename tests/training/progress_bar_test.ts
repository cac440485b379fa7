import { assert, assertEquals, assertMatch } from "@std/assert";
import { type MeteredStep, meterSteps } from "../../src/training/meters.ts";
import { progressBar, ProgressView } from "../../src/training/progress_bar.ts";
import { stepMessages } from "../../src/training/report_lines.ts";
import { scenario } from "./golden_log.ts";

const { reports, epochs } = scenario("two_phases");
const withSpeed = reports.map((report) => ({ ...report, pairsPerSecond: 2 / report.batchTime }));
const steps: readonly MeteredStep[] = await Array.fromAsync(
  meterSteps(ReadableStream.from(withSpeed), { epochs }),
);

Deno.test("progressBar() shows share, epoch, loss, speed, remaining time and data wait", () => {
  assertEquals(
    progressBar(steps[9], 120),
    "[===================           ]  62%  epoch 3  loss 1.2492  5.0 pairs/s  ETA 0:00:02  data 49%",
  );
});

Deno.test("progressBar() stays shorter than the terminal and drops the least important first", () => {
  for (let columns = 0; columns <= 200; columns++) {
    assert(progressBar(steps[9], columns).length < Math.max(columns, 1));
  }
  assertEquals(progressBar(steps[9], 30), "62%  loss 1.2492  ETA 0:00:02");
  assertEquals(progressBar(steps[9], 17), "62%  loss 1.2492");
  assertEquals(progressBar(steps[9], 14), "[====  ]  62%");
  assertEquals(progressBar(steps[9], 4), "62%");
  assertEquals(progressBar(steps[9], 3), "");
});

Deno.test("progressBar() shows days, a first step without speed, and the end", () => {
  const long = {
    ...steps[0],
    report: reports[0],
    progress: { ...steps[0].progress, remainingSeconds: 2 * 86400 + 3 * 3600 + 4 * 60 + 5.9 },
  };
  assertMatch(progressBar(long, 120), /0\.175 s\/step {2}ETA 2d 3:04:05/);
  assertMatch(progressBar(steps[15], 120), /^\[={30}\] {2}100%/);
});

Deno.test("ProgressView gives plain lines, without control codes, where there is no terminal", () => {
  const view = new ProgressView({ printEvery: 2 });
  const lines = steps.flatMap((step) => stepMessages(step, { printEvery: 2 }));
  const text = steps.map((step) => view.step(step)).join("") + view.message("saved") + view.end();
  assertEquals(text, [...lines, "saved", ""].join("\n"));
});

Deno.test("ProgressView keeps one live bar below the lines of a terminal", () => {
  const view = new ProgressView({ printEvery: 2, columns: () => 80 });
  const [first, second] = steps.map((step) => progressBar(step, 80));
  assertEquals(view.step(steps[0]), first);
  const messages = stepMessages(steps[1], { printEvery: 2 }).map((message) => `${message}\n`);
  assertEquals(view.step(steps[1]), `\r\x1b[K${messages.join("")}${second}`);
  assertEquals(view.message("saved"), `\r\x1b[Ksaved\n${second}`);
  assertEquals(view.end(), "\n");
  assertEquals(view.end(), "");
});
