import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { buildLrSpace, type LrOptions, type WarmupOptions } from "../../src/training/schedule.ts";
import golden from "../fixtures/lr/lr.json" with { type: "json" };

interface GoldenLr {
  TYPE: string;
  EPOCH?: number;
  KWARGS: Record<string, unknown>;
}

interface GoldenCase {
  name: string;
  epochs: number;
  lr: GoldenLr;
  warmup: GoldenLr | null;
  group_initial_lr: number[];
  error?: string;
  lr_spaces: number[];
  start_lr: number;
  group_lr: number[][];
}

function options({ TYPE, EPOCH, KWARGS }: GoldenLr): WarmupOptions {
  const { start_lr: startLr, end_lr: endLr, ...rest } = KWARGS;
  return { type: TYPE, epoch: EPOCH, startLr, endLr, ...rest } as WarmupOptions;
}

function build(golden: GoldenCase) {
  const { epochs, lr, warmup } = golden;
  return buildLrSpace({ epochs, lr: options(lr), warmup: warmup ? options(warmup) : undefined });
}

const cases = golden.cases as unknown as GoldenCase[];

for (const expected of cases.filter(({ error }) => !error)) {
  Deno.test(`buildLrSpace() matches the published rates of ${expected.name}`, () => {
    const actual = build(expected);
    // These two are computed in float32, also where a warm-up list has widened them to float64.
    const tolerance = ["cos", "multi-step"].includes(expected.lr.TYPE) ? 1e-6 : 1e-12;
    const close = (a: number, b: number) => assertAlmostEquals(a, b, Math.abs(b) * tolerance);
    assertEquals(actual.spaces.length, expected.epochs);
    close(actual.startLr, expected.start_lr);
    expected.lr_spaces.forEach((rate, epoch) => close(actual.at(epoch), rate));
    expected.group_lr.forEach((rates, epoch) =>
      rates.forEach((rate, g) => close(actual.groupLr(epoch, expected.group_initial_lr[g]), rate))
    );
  });
}

for (const expected of cases.filter(({ error }) => error)) {
  Deno.test(`buildLrSpace() refuses ${expected.name}, as the reference does`, () => {
    assertThrows(() => build(expected), RangeError, "epochs are left");
  });
}

Deno.test("buildLrSpace() refuses rates that cannot be", () => {
  const refuse = (lr: LrOptions, message: string, epochs = 20) =>
    assertThrows(() => buildLrSpace({ epochs, lr }), Error, message);
  refuse({ type: "log", startLr: 0 }, "gives the rate");
  refuse({ type: "log", endLr: -1 }, "gives the rate");
  refuse({ type: "linear", startLr: 0 }, "first rate is 0");
  refuse({ type: "log", startLr: null }, "startLr is null");
  refuse({ type: "step", startLr: null }, "startLr is null");
  refuse({ type: "step", step: 0 }, "step is 0");
  refuse({ type: "step", step: 30, endLr: 1e-3 }, "no step falls");
  refuse({ type: "multi-step", steps: [], endLr: 1e-3 }, "no step falls");
  refuse({ type: "step", startLr: null, endLr: 1e-3, mult: 0, step: 2 }, "Infinity");
  refuse({ type: "cosine" as "cos" }, "expected one of log, step, multi-step, linear, cos");
  refuse({ type: "cos" }, "0 epochs are left", 0);
  refuse({ type: "cos" }, "2.5 epochs are left", 2.5);
});

Deno.test("buildLrSpace() lets a warm-up start from nothing and refuses one that fills the training", () => {
  const lr: LrOptions = { type: "cos" };
  const warmup: WarmupOptions = { type: "linear", epoch: 3, startLr: 0, endLr: 0.01 };
  assertEquals(buildLrSpace({ epochs: 9, lr, warmup }).at(0), 0);
  assertThrows(() => buildLrSpace({ epochs: 3, lr, warmup }), RangeError, "0 epochs are left");
});

Deno.test("LrSpace.at() refuses an epoch outside the training", () => {
  const lr = buildLrSpace({ epochs: 5, lr: { type: "log" } });
  assertThrows(() => lr.at(5), RangeError, "epochs 0 to 4");
  assertThrows(() => lr.at(-1), RangeError, "epoch -1");
});
